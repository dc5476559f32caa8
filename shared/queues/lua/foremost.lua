-- Moves the job that is due first to the front of a queue. One of which nobody said when it is due comes before
-- all others.
-- Returns when it is due, as text; nothing when no job waits.
local queue, due = KEYS[1], KEYS[2]
-- What is known of jobs that no longer wait is let go when there is more of it than this.
local KEPT = 1000

local waiting = redis.call('LRANGE', queue, 0, -1)
if #waiting == 0 then
  return false
end
local first, first_due, stands = nil, nil, {}
for _, job in ipairs(waiting) do
  stands[job] = true
  local at = redis.call('ZSCORE', due, job) or '0'
  if not first or tonumber(at) < tonumber(first_due) then
    first, first_due = job, at
  end
end
if first ~= waiting[1] then
  redis.call('LREM', queue, 1, first)
  redis.call('LPUSH', queue, first)
end
if redis.call('ZCARD', due) > #waiting + KEPT then
  for _, job in ipairs(redis.call('ZRANGE', due, 0, -1)) do
    if not stands[job] then
      redis.call('ZREM', due, job)
    end
  end
end
return first_due
