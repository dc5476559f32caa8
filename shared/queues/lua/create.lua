-- Registers a clip, whole or not at all. Returns 0 when its id is taken.
local clip, clips = KEYS[1], KEYS[2]
local id, created = ARGV[1], ARGV[2]
local FIRST_FIELD = 3

if redis.call('EXISTS', clip) == 1 then
  return 0
end
redis.call('HSET', clip, unpack(ARGV, FIRST_FIELD))
redis.call('ZADD', clips, created, id)
return 1
