-- Counts a crash of a clip's job; the count begins anew when the clip has got on since the last one.
-- Returns the count, 0 for a clip that is gone.
local clip = KEYS[1]

if redis.call('EXISTS', clip) == 0 then
  return 0
end
local at = redis.call('HGET', clip, 'state') .. ' ' .. redis.call('HGET', clip, 'position')
if redis.call('HGET', clip, 'crashed_at') ~= at then
  redis.call('HSET', clip, 'crashed_at', at, 'crashes', 0)
end
return redis.call('HINCRBY', clip, 'crashes', 1)
