/**
 * The keeper of an embedded server: a small shell process, started in the server's folder with the server program as
 * its argument, detached from every node. It starts the server, starts it again when it dies, and ends it when no
 * process of users/ is left: so nodes that were killed leave no server behind. SIGTERM ends both.
 *
 * A server that dies before it has ever answered (a port that is taken, an old program) is not started again: whoever
 * started the keeper waits for it and tells. Until then server.json says `"pid":0`. Later it gets ten quick attempts.
 */
export const KEEPER = `
program=$1 server= nap= quick=0 idle=0
trap '' HUP INT
trap 'finish' TERM

finish() {
  trap '' TERM
  kill -TERM "$server" 2>/dev/null
  kill "$nap" 2>/dev/null
  wait "$server"
  exit 0
}

lives() {
  { [ -d "/proc/$1" ] || kill -0 "$1"; } 2>/dev/null
}

wanted() {
  for use in users/*; do
    pid=\${use##*/}
    lives "\${pid%%.*}" && return 0
  done
  return 1
}

leave_if_alone() {
  [ -e redis.conf ] || finish # the folder was removed: nobody can use it any more
  (set -C; echo $$ >lock) 2>/dev/null || {
    lives "$(cat lock 2>/dev/null)" || rm -f lock
    return
  }
  if wanted; then
    rm -f lock
  else
    rm -f server.json users/*
    trap 'rm -f lock' EXIT
    finish
  fi
}

while [ "$quick" -lt 10 ]; do
  "$program" redis.conf >>redis.log 2>&1 </dev/null &
  server=$!
  lived=0
  while kill -0 "$server" 2>/dev/null; do
    sleep 1 &
    nap=$!
    wait "$nap"
    lived=$((lived + 1))
    if wanted; then idle=0; else idle=$((idle + 1)); fi
    [ "$idle" -ge 2 ] && leave_if_alone
  done
  wait "$server"
  grep -q '"pid":0,' server.json && exit 1
  if [ "$lived" -le 2 ]; then quick=$((quick + 1)); else quick=0; fi
done
exit 1
`
