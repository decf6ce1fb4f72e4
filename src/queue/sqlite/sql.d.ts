/** A migration, bundled into the executable as text. */
declare module '*.sql' {
  const sql: string
  // oxlint-disable-next-line import/no-default-export -- the shape that an import with `type: 'text'` has
  export default sql
}
