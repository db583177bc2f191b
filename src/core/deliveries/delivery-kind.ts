import type { ClientRecord } from '../stores/clients.ts';
import type { Delivery } from '../stores/deliveries.ts';

/** A message, made anew for each attempt. */
export interface Message {
  readonly url: string;
  readonly purpose: 'back-channel logout';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes the message of a delivery, or says why it is no longer wanted. */
export type DeliveryKind = (delivery: Delivery, client: ClientRecord) => Message | { readonly dropped: string };
