import { csrf, type ViewState } from '../state.ts';

export const languageStates: readonly ViewState[] = [
  { name: 'language', view: 'language', locals: { csrf, back: '/', locales: ['en', 'ar', 'de'] } },
];
