/** Why a conversion is stopped from outside. */
export class Stopped extends Error {
  readonly kind: 'lost' | 'stopped'

  constructor(kind: 'lost' | 'stopped', message: string) {
    super(message)
    this.kind = kind
  }
}
