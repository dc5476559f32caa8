-- Sets fields of a clip that still exists. When its state changes, that and the given counts are added to the
-- totals, so that a step that is repeated counts once.
local clip, counters = KEYS[1], KEYS[2]
local counts = ARGV[1]
local FIRST_FIELD = 2

if redis.call('EXISTS', clip) == 0 then
  return
end
local before = redis.call('HGET', clip, 'state')
redis.call('HSET', clip, unpack(ARGV, FIRST_FIELD))
local state = redis.call('HGET', clip, 'state')
if state ~= before then
  redis.call('HINCRBY', counters, 'clips:' .. state, 1)
  redis.call('HSET', counters, 'last:clips:' .. state, redis.call('TIME')[1])
  for name, by in pairs(cjson.decode(counts)) do
    redis.call('HINCRBY', counters, name, by)
  end
end
