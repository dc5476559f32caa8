-- Fenced commit of a batch: an entry's effects happen only if its XACK returns 1, so that a worker that was
-- presumed dead and wakes up late writes nothing.
-- Returns how many entries were still ours.
local stream, next_stream, dead, completed, counters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local FIRST_KEY, KEYS_EACH = 6, 2
local group, done_field, failed_field = ARGV[1], ARGV[2], ARGV[3]
local FIRST_ARG, ARGS_EACH = 4, 5
-- Letters that the dead stream holds: a model that fails at everything must not fill the broker.
local DEAD_KEPT = 10000

local function message_of(entry)
  local found = redis.call('XRANGE', stream, entry, entry)[1]
  for i = 1, found and #found[2] or 0, 2 do
    if found[2][i] == 'm' then
      return found[2][i + 1]
    end
  end
  return ''
end

local committed, totals = 0, {}
for i = 0, (#KEYS - FIRST_KEY + 1) / KEYS_EACH - 1 do
  local clip, results = KEYS[FIRST_KEY + i * KEYS_EACH], KEYS[FIRST_KEY + i * KEYS_EACH + 1]
  local at = FIRST_ARG + i * ARGS_EACH
  local entry, id, result, forward, failure = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local message = failure ~= '' and message_of(entry)
  if redis.call('XACK', stream, group, entry) == 1 then
    committed = committed + 1
    redis.call('XDEL', stream, entry)
    if message then
      redis.call('XADD', dead, 'MAXLEN', DEAD_KEPT, '*', 'stage', stream, 'c', id, 'error', failure, 'm', message)
      totals.dead = (totals.dead or 0) + 1
    end
    if redis.call('EXISTS', clip) == 1 then
      if result ~= '' then
        redis.call('XADD', results, '*', 'm', result)
      end
      if forward ~= '' then
        redis.call('XADD', next_stream, '*', 'c', id, 'm', forward)
        redis.call('HINCRBY', clip, 'pending', 1)
      end
      local field = failure == '' and done_field or failed_field
      redis.call('HINCRBY', clip, field, 1)
      totals[field] = (totals[field] or 0) + 1
      local pending = redis.call('HINCRBY', clip, 'pending', -1)
      local ingested, state = unpack(redis.call('HMGET', clip, 'ingested', 'state'))
      -- Entries that nobody has counted drive it below zero; that must not end a clip before its last frame, nor
      -- hold it up for ever, and what comes after its end goes into its files too.
      if pending <= 0 and ingested == '1' and state ~= 'failed' then
        if state == 'finishing' or state == 'done' then
          redis.call('HINCRBY', clip, 'late', 1)
        end
        redis.call('SADD', completed, id)
        redis.call('HSET', clip, 'state', 'finishing')
      end
    end
  end
end
for name, by in pairs(totals) do
  redis.call('HINCRBY', counters, name, by)
  redis.call('HSET', counters, 'last:' .. name, redis.call('TIME')[1])
end
return committed
