/** Core's port for authorizations without a browser, through the engine's own endpoint (oidc/requests/on-behalf). */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Unavailable } from '../../base/errors.ts';
import type { AuthorizationOnBehalf, AuthorizationOutcome, Authorizer } from '../../core/api-sessions/authorize.ts';
import type { Caller } from '../../core/kernel/caller.ts';
import { longestAddress, routes } from '../configuration.ts';
import type { ProtocolEvents } from '../ports.ts';
import { mark, type OnBehalf } from './on-behalf.ts';

interface AuthorizerDeps {
  readonly issuer: string;
  /** The current engine with its middleware. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  readonly sessionValue: (uid: string) => string;
  readonly events: Pick<ProtocolEvents, 'allowed'>;
}

/** Retries after conflicts with other nodes; requests of this node for one session are queued. */
const triesMax = 20;

export function createAuthorizer(deps: AuthorizerDeps): Authorizer {
  const { host, protocol } = new URL(deps.issuer);
  const inTurn = createTurns();

  /** Builds the request that the front door would pass on. There is no connection, so the response is never sent. */
  function requestFor(address: string, caller: Caller): IncomingMessage {
    const req = new IncomingMessage(new Socket());
    req.method = 'GET';
    req.url = address;
    req.headers = {
      host,
      accept: 'text/html',
      'x-forwarded-host': host,
      'x-forwarded-proto': protocol.slice(0, -1),
      'x-forwarded-for': caller.address,
    };
    return req;
  }

  async function ask(address: string, request: AuthorizationOnBehalf): Promise<OnBehalf> {
    const { subject, sessionUid, caller } = request;
    const asked: OnBehalf = {
      subject,
      sessionUid,
      caller,
      sessionValue: deps.sessionValue(sessionUid),
      outcome: undefined,
      failure: undefined,
      again: false,
      allowed: undefined,
    };
    const req = requestFor(address, caller);
    mark(req, asked);
    await deps.handle(req, new ServerResponse(req));
    return asked;
  }

  async function authorize(address: string, request: AuthorizationOnBehalf): Promise<AuthorizationOutcome> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const { outcome, failure, again, allowed } = await ask(address, request);
      if (again) continue;
      if (failure) throw failure;
      if (!outcome) throw new Error('the engine gave no answer');
      if (allowed) await deps.events.allowed({ ...allowed, subject: request.subject, caller: request.caller });
      return outcome;
    }
    throw new Unavailable('database');
  }

  return {
    async authorize(request) {
      if (request.parameters.some((pair) => pair.some((text) => !text.isWellFormed()))) {
        return refused(400, 'a parameter contains an unpaired surrogate');
      }
      const address = `${routes.authorization}?${new URLSearchParams(withoutPrompts(request.parameters))}`;
      if (address.length > longestAddress) return refused(413, `the request is larger than ${longestAddress} bytes`);
      return inTurn(request.sessionUid, () => authorize(address, request));
    },
  };
}

const refused = (status: 400 | 413, description: string): AuthorizationOutcome => ({
  outcome: 'refused',
  status,
  error: 'invalid_request',
  description,
});

/** Allows no prompt, and no page that posts itself to the application. */
function withoutPrompts(parameters: AuthorizationOnBehalf['parameters']): [string, string][] {
  return [
    ...parameters
      .filter(([name]) => name !== 'prompt')
      // An unknown mode for the engine, so the application gets the usual error.
      .map(([name, value]): [string, string] => [
        name,
        name === 'response_mode' && value === 'form_post' ? 'none' : value,
      ]),
    ['prompt', 'none'],
  ];
}

/**
 * Queues work by key. Two parallel requests of one session with different scopes would each extend the grant as they
 * read it, and the later write would undo the earlier one.
 */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work);
    const over = mine.catch(() => {});
    last.set(key, over);
    try {
      return await mine;
    } finally {
      if (last.get(key) === over) last.delete(key);
    }
  };
}
