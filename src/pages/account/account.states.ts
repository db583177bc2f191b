import type { ViewState } from '../kit/state.ts';

export const accountStates: readonly ViewState[] = [{ name: 'account-deleted', view: 'account-deleted', locals: {} }];
