import { signedIn, type ViewState } from '../../kit/state.ts';

export const dataStates: readonly ViewState[] = [{ name: 'account-data', view: 'account-data', locals: signedIn }];
