/** What a contact sheet shows its page in. */

export interface SheetLook {
  /** Part of the name of the file. */
  readonly name: string;
  readonly locale: 'en' | 'de' | 'ar';
  readonly colorScheme: 'light' | 'dark';
  readonly forcedColors?: 'active';
  /** Shows details and dialogs opened as well, each page beside itself. */
  readonly unfolds?: true;
  /** CSS pixels. */
  readonly width: number;
  /** What the screen shows before a person scrolls. */
  readonly height: number;
  /** Thumbnails beside each other, and their size. */
  readonly columns: number;
  readonly scale: number;
}

const phone = { width: 360, height: 740, columns: 4, scale: 1 };
const wide = { width: 1280, height: 800, columns: 2, scale: 0.6 };

export const sheetLooks: readonly SheetLook[] = [
  { name: 'light-360', locale: 'en', colorScheme: 'light', unfolds: true, ...phone },
  { name: 'dark-360', locale: 'en', colorScheme: 'dark', ...phone },
  { name: 'light-1280', locale: 'en', colorScheme: 'light', unfolds: true, ...wide },
  { name: 'dark-1280', locale: 'en', colorScheme: 'dark', ...wide },
  // A wide screen at a browser's zoom of 200 %.
  { name: 'zoom-200', locale: 'en', colorScheme: 'light', width: 640, height: 400, columns: 3, scale: 0.75 },
  { name: 'german-360', locale: 'de', colorScheme: 'light', ...phone },
  { name: 'arabic-360', locale: 'ar', colorScheme: 'light', ...phone },
  { name: 'arabic-1280', locale: 'ar', colorScheme: 'dark', ...wide },
  // The last, because Chromium keeps the forced ground of a tab for the looks that follow.
  { name: 'forced-360', locale: 'en', colorScheme: 'dark', forcedColors: 'active', ...phone },
  { name: 'forced-1280', locale: 'en', colorScheme: 'light', forcedColors: 'active', ...wide },
];

/** Those whose names begin so. Throws if none does. */
export function chosenLooks(asked: string | undefined): readonly SheetLook[] {
  if (asked === undefined) return sheetLooks;
  const beginnings = asked.split(',');
  const chosen = sheetLooks.filter(({ name }) => beginnings.some((beginning) => name.startsWith(beginning)));
  if (chosen.length > 0) return chosen;
  throw new Error(`no look "${asked}". The looks: ${sheetLooks.map(({ name }) => name).join(', ')}`);
}
