import type { Container } from '../../../contract/conversion.ts'

/**
 * A language as a container can hold it; null where the source's own name will do. mp4 has three letters for it, and FFmpeg
 * writes nothing that it cannot spell so. For mov it knows QuickTime's list alone, which has the other one of ISO 639-2's
 * two names for some.
 */
export function languageFor(language: string | null, container: Container): string | null {
  if (language === null) return null
  const three = threeLettersOf(language)
  const isOdd = language in isoNames || language !== language.trim()
  if (container === 'mkv' || container === 'webm') return isOdd ? three : null
  const name = container === 'mov' ? (quickTimeNames[three] ?? three) : three
  return name === language ? null : name
}

/** Whether two names, of two or three letters, mean one language; `zh-Hant` and `chi` do. */
export function isSameLanguage(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b
  const [first, second] = [threeLettersOf(a), threeLettersOf(b)]
  return (quickTimeNames[first] ?? first) === (quickTimeNames[second] ?? second)
}

function threeLettersOf(language: string): string {
  const [first = ''] = language.trim().toLowerCase().split(/[-_]/)
  return isoNames[first] ?? threeLetters.get(first) ?? first
}

/** QuickTime's own names for Swedish and Persian. */
const isoNames: Record<string, string> = { sve: 'swe', iri: 'per' }

/** ISO 639-1 to 639-2/T, what films are in. */
const threeLetters = new Map(
  (
    'aa aar af afr am amh ar ara az aze be bel bg bul bn ben bo bod bs bos ca cat cs ces cy cym da dan de deu el ell en eng ' +
    'eo epo es spa et est eu eus fa fas fi fin fr fra ga gle gl glg gu guj he heb hi hin hr hrv hu hun hy hye id ind is isl ' +
    'it ita ja jpn ka kat kk kaz km khm kn kan ko kor ku kur ky kir la lat lb ltz lo lao lt lit lv lav mk mkd ml mal mn mon ' +
    'mr mar ms msa mt mlt my mya nb nob ne nep nl nld nn nno no nor pa pan pl pol ps pus pt por ro ron ru rus sa san si sin ' +
    'sk slk sl slv so som sq sqi sr srp sv swe sw swa ta tam te tel tg tgk th tha tk tuk tl tgl tr tur uk ukr ur urd uz uzb ' +
    'vi vie xh xho yi yid yo yor zh zho zu zul'
  )
    .match(/\w\w \w{3}/g)
    ?.map((pair): [string, string] => [pair.slice(0, 2), pair.slice(3)]),
)

/** FFmpeg's `mov_mdhd_language_map`, where it differs from ISO 639-2/T; the bibliographic names lead there too. */
const quickTimeNames: Record<string, string> = {
  deu: 'ger',
  nld: 'dut',
  swe: 'sve',
  ell: 'gre',
  isl: 'ice',
  zho: 'chi',
  sqi: 'alb',
  mkd: 'mac',
  hye: 'arm',
  kat: 'geo',
  bod: 'tib',
  mya: 'bur',
  msa: 'may',
  cym: 'wel',
  eus: 'baq',
  fre: 'fra',
  cze: 'ces',
  slo: 'slk',
  rum: 'ron',
  hrv: 'hr ',
  srp: 'sr ',
  fas: 'per',
  fao: 'fo ',
  pan: 'pa ',
  nob: 'nor',
  nno: 'nor',
}
