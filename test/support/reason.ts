/** Why something failed, in its words; that it did not is no reason at all. */
export function reason(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => '',
    (error: Error) => error.message,
  )
}
