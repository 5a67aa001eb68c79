import { defineProcessor } from 'hysas'

export default defineProcessor({ start() {} })
