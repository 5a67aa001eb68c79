/** What this browser remembers of the page; empty where nothing is kept, or a browser forbids to keep anything. */
export function kept(key: string): string {
  try {
    return localStorage.getItem(`hysas-${key}`) ?? ''
  } catch {
    return ''
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`hysas-${key}`, value)
  } catch {
    // then only until the page is closed
  }
}
