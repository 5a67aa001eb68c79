import type { Database } from '../contract.js'

/** What the two kinds of database give; the rules that they share are in database.ts. */
export interface Engine extends Statements {
  readonly kind: Database['kind']
  begin(): Promise<Statements & { commit(): Promise<void>; rollback(): Promise<void> }>
  close(): Promise<void>
}

export interface Statements {
  query(sql: string, values: readonly unknown[]): Promise<unknown[]>
  execute(sql: string, values: readonly unknown[]): Promise<{ affectedRows: number; insertId: number }>
}
