-- Fenced commit of a batch: an entry's effects happen only if its XACK returns 1, so that a worker that was
-- presumed dead and wakes up late writes nothing.
-- Returns how many entries were still ours.
local stream, next_stream, dead, completed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local FIRST_KEY, KEYS_EACH = 5, 2
local group, done_field, failed_field = ARGV[1], ARGV[2], ARGV[3]
local FIRST_ARG, ARGS_EACH = 4, 5

local function message_of(entry)
  local found = redis.call('XRANGE', stream, entry, entry)[1]
  for i = 1, found and #found[2] or 0, 2 do
    if found[2][i] == 'm' then
      return found[2][i + 1]
    end
  end
  return ''
end

local committed = 0
for i = 0, (#KEYS - FIRST_KEY + 1) / KEYS_EACH - 1 do
  local clip, results = KEYS[FIRST_KEY + i * KEYS_EACH], KEYS[FIRST_KEY + i * KEYS_EACH + 1]
  local at = FIRST_ARG + i * ARGS_EACH
  local entry, id, result, forward, failure = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local message = failure ~= '' and message_of(entry)
  if redis.call('XACK', stream, group, entry) == 1 then
    committed = committed + 1
    redis.call('XDEL', stream, entry)
    if message then
      redis.call('XADD', dead, '*', 'stage', stream, 'c', id, 'error', failure, 'm', message)
    end
    if redis.call('EXISTS', clip) == 1 then
      if result ~= '' then
        redis.call('XADD', results, '*', 'm', result)
      end
      if forward ~= '' then
        redis.call('XADD', next_stream, '*', 'c', id, 'm', forward)
        redis.call('HINCRBY', clip, 'pending', 1)
      end
      redis.call('HINCRBY', clip, failure == '' and done_field or failed_field, 1)
      if redis.call('HINCRBY', clip, 'pending', -1) == 0 and redis.call('HGET', clip, 'state') ~= 'failed' then
        redis.call('SADD', completed, id)
        redis.call('HSET', clip, 'state', 'finishing')
      end
    end
  end
end
return committed
