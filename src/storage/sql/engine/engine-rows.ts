/** What the engine reads together, and how it writes tokens, grants, sessions and records of the audit trail. */
import type { GrantBundle, SessionBundle, TokenBundle } from '../../../core/stores/engine.ts';
import { put } from '../put.ts';
import { selection } from '../table.ts';
import { accounts, audit, grants, sessions, tokens } from '../tables.ts';

export const tokenBundle = selection(
  (row): TokenBundle => ({
    token: row.from(tokens),
    grant: row.joined(grants),
    account: row.joined(accounts),
    session: row.joined(sessions),
  }),
);

export const grantBundle = selection(
  (row): GrantBundle => ({
    grant: row.from(grants),
    account: row.joined(accounts),
    session: row.joined(sessions),
  }),
);

export const sessionBundle = selection(
  (row): SessionBundle => ({
    session: row.from(sessions),
    account: row.joined(accounts),
    grant: row.joined(grants),
  }),
);

/** Before the condition. */
export const selectToken = `select ${tokenBundle.list} from tokens
  left join tokens successors on successors.key = tokens.successor_key
  left join grants on grants.id = tokens.grant_id
  left join accounts on accounts.subject = tokens.subject
  left join sessions on sessions.uid = tokens.session_uid`;

const givenOnce = ['created_at', 'door', 'client_id'];

export const putToken = put(tokens, { key: 'key', leaves: ['consumed_at', 'successor_key', 'successor_sealed'] });
export const putGrant = put(grants, { key: 'id' });
export const putSession = put(sessions, { key: 'uid', leaves: ['last_seen_at'], keeps: givenOnce });
export const putAudit = put(audit, { leaves: ['id'] });
