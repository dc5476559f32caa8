-- Puts a dead letter back on its stage and takes back what its failure had counted, as one step.
-- A clip that had come to its end is open again: its streams stay, and its files will be written once more.
-- Returns what became of the letter: 'queued' or 'reopened'; or why it stays: 'absent', 'forgotten', 'failed',
-- 'expired'.
local dead, stage, clip, completed, frames = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local FIRST_STREAM = 5
local letter, id, failed_field = ARGV[1], ARGV[2], ARGV[3]

local found = redis.call('XRANGE', dead, letter, letter)[1]
if not found then
  return 'absent'
end
-- A counter at zero belongs to a later run of the same clip, which has read this face itself.
if tonumber(redis.call('HGET', clip, failed_field) or 0) < 1 then
  return 'forgotten'
end
local state = redis.call('HGET', clip, 'state')
if state == 'failed' then
  return 'failed'
end
if state == 'done' and redis.call('EXISTS', frames) == 0 then
  return 'expired'
end

local message = ''
for i = 1, #found[2], 2 do
  if found[2][i] == 'm' then
    message = found[2][i + 1]
  end
end
redis.call('XDEL', dead, letter)
redis.call('XADD', stage, '*', 'c', id, 'm', message)
redis.call('HINCRBY', clip, failed_field, -1)
redis.call('HINCRBY', clip, 'pending', 1)
if state ~= 'done' and state ~= 'finishing' then
  return 'queued'
end
redis.call('SREM', completed, id)
redis.call('HSET', clip, 'state', 'finishing')
for i = FIRST_STREAM, #KEYS do
  redis.call('PERSIST', KEYS[i])
end
return 'reopened'
