/**
 * Whether somebody's browser may stand behind a request, and with it any page that he looks at. By plain HTTP browsers send
 * no `Sec-Fetch-Site`, and to the page's own host no `Origin` either; a page may hide where it is from (`Referer`). Firefox 140
 * lets it call itself anything (`User-Agent`), but not leave out `Accept-Language`; Chromium 150 writes its own name whatever the
 * page says. Of programs, few send that header: Node's fetch, which is known by a `Sec-Fetch-Mode` without the others, and that
 * no page can write.
 */
export function isFromBrowser(headers: Headers): boolean {
  if (/^Mozilla\//i.test(headers.get('User-Agent') ?? '')) return true
  if (['Origin', 'Referer', 'Sec-Fetch-Site'].some((name) => headers.has(name))) return true
  return headers.has('Accept-Language') && !headers.has('Sec-Fetch-Mode')
}
