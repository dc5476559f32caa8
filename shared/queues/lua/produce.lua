-- Commits what ingest made of a few frames, at once with its position and state, and only if it is still the
-- one that stands at the expected position.
-- Returns 1 when committed (or when this very commit had been applied before a lost reply), else 0.
local clip, frames, completed, counters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local FIRST_LANE = 5
local id, token, expected, position, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local tracks, shots, decoded, last, frames_message = ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10]
local counts, FIRST_FACE = ARGV[11], 12

if redis.call('HGET', clip, 'commit') == token then
  return 1
end
if redis.call('HGET', clip, 'position') ~= expected or redis.call('HGET', clip, 'state') == 'failed'
    or redis.call('HGET', clip, 'ingested') == '1' then
  return 0
end

redis.call('HSET', clip, 'commit', token, 'position', position, 'tracker', state, 'tracks', tracks, 'shots', shots)
redis.call('HINCRBY', clip, 'frames', decoded)
if decoded > 0 then
  redis.call('XADD', frames, '*', 'm', frames_message)
end
local found = #ARGV - FIRST_FACE + 1
local lane = FIRST_LANE + tonumber(redis.call('HGET', clip, 'lane') or 0)
for i = FIRST_FACE, #ARGV do
  redis.call('XADD', KEYS[lane], '*', 'c', id, 'm', ARGV[i])
end
redis.call('HINCRBY', clip, 'faces', found)
redis.call('HINCRBY', counters, 'frames', decoded)
redis.call('HINCRBY', counters, 'faces', found)
for name, by in pairs(cjson.decode(counts)) do
  redis.call('HINCRBY', counters, name, by)
end
redis.call('HSET', counters, 'last:frames', redis.call('TIME')[1])
local pending = redis.call('HINCRBY', clip, 'pending', found)
if last == '1' then
  redis.call('HSET', clip, 'ingested', '1')
  pending = redis.call('HINCRBY', clip, 'pending', -1)
  if pending <= 0 then
    redis.call('SADD', completed, id)
    redis.call('HSET', clip, 'state', 'finishing')
  end
end
return 1
