/** For what scrolls within itself: the keyboard must reach it. */
export const SCROLLS = { tabIndex: 0 } as const
