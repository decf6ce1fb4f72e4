/** Calls `first` at the first SIGINT or SIGTERM and `again` at each further one, until told to stop listening. */
export function onStopSignals(first: () => void, again: () => void): () => void {
  let count = 0
  const onSignal = () => (count++ === 0 ? first() : again())
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
