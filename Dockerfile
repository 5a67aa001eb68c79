# A node of HySAS. Its folder is /fleet: mount your processors at /fleet/processors and
# parameters of workers at /fleet/config. What it keeps lies in /data.
#   docker build -t hysas . && docker run --init -e HYSAS_REDIS_URL=redis://... -e HYSAS_TOKEN=... -p 127.0.0.1:3200:3200 hysas

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY processors processors
RUN node scripts/build.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-slim
ENV NODE_ENV=production
ENV HYSAS_DATA_DIR=/data
ENV HYSAS_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY processors processors
RUN ln -s /app/dist/cli/main.js /usr/local/bin/hysas && mkdir -p /data /fleet && chown node:node /data /fleet
USER node
WORKDIR /fleet
VOLUME /data
EXPOSE 3200
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:3200/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["hysas", "up"]
