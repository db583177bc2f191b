/**
 * Lua scripts for steps that must be atomic in Redis. Each script takes all its keys as KEYS and returns a number.
 *
 * The client cache keeps one hash about itself (`generation`, `applied`, `token`) and one hash per client (`v`, its
 * version, and `s`, the sealed record). Each removal renews `token`, a random value, so that a `put` detects a removal
 * that happened after its record was read.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** KEYS: about, client. ARGV: generation, token, version, sealed, lifetime (ms). 0: removed, or a newer one exists. */
export const putClient = script(`
local about = redis.call('HMGET', KEYS[1], 'generation', 'token')
if (about[1] or '0') == ARGV[1] and (about[2] or '') ~= ARGV[2] then return 0 end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[2]) end
local version = tonumber(redis.call('HGET', KEYS[2], 'v') or nil)
if version and version > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[2], 'v', ARGV[3], 's', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
`);

/** KEYS: about, clients … ARGV: new token. */
export const removeClients = script(`
redis.call('HSET', KEYS[1], 'token', ARGV[1])
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
`);

/** KEYS: about. ARGV: seq, and the generation and token last seen. Returns 0 if another process changed them. */
export const markApplied = script(`
local about = redis.call('HMGET', KEYS[1], 'generation', 'token', 'applied')
if (about[1] or '0') ~= ARGV[2] or (about[2] or '') ~= ARGV[3] then return 0 end
if (tonumber(about[3] or nil) or 0) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'applied', ARGV[1]) end
return 1
`);

/** KEYS: about. ARGV: generation, seq, new token. The seq may decrease: it belongs to the new generation. */
export const raiseGeneration = script(`
if (tonumber(redis.call('HGET', KEYS[1], 'generation') or nil) or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'applied', ARGV[2], 'token', ARGV[3])
return 1
`);

/** KEYS: counters. ARGV: window (ms), one limit per key. Returns 0 if counted, else the milliseconds to wait. */
export const countAttempt = script(`
local wait = 0
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  local value = kind == 'string' and redis.call('GET', KEYS[i]) or '0'
  if not string.match(value, '^%d+$') or #value > 9 or (kind ~= 'string' and kind ~= 'none') then
    redis.call('DEL', KEYS[i])
    value = '0'
  end
  if tonumber(value) >= tonumber(ARGV[i + 1]) then
    local left = redis.call('PTTL', KEYS[i])
    if left < 0 and value ~= '0' then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
    if left < 1 then left = tonumber(ARGV[1]) end
    if left > wait then wait = left end
  end
end
if wait > 0 then return wait end
for i = 1, #KEYS do
  redis.call('INCR', KEYS[i])
  if redis.call('PTTL', KEYS[i]) < 0 then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
end
return 0
`);

/** KEYS: counters. */
export const giveBack = script(`
for i = 1, #KEYS do
  if redis.call('TYPE', KEYS[i]).ok == 'string' then
    local value = tonumber(redis.call('GET', KEYS[i]))
    if value and value > 0 then redis.call('DECR', KEYS[i]) end
  end
end
return 1
`);
