-- Takes the next message, under the caller's receipt, and leases it. Asked again with the same receipt, because the answer was lost, it
-- answers the same.
-- KEYS: the lists, the best first. ARGV: prefix, receipt, lease in ms.
-- Returns message, list, token, time in ms, or only, in ms, how long it is until the next message that is set aside (-1: there is none).
local prefix, receipt, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local job = prefix .. 'job:' .. receipt
if redis.call('EXISTS', job) == 0 then
	local found = false
	for _, list in ipairs(KEYS) do -- of these lists alone: another queue's tasks are for its own workers
		local due = redis.call('ZRANGEBYSCORE', prefix .. 'delayed:' .. list, '-inf', now, 'LIMIT', 0, 1)[1]
		if due then
			redis.call('ZREM', prefix .. 'delayed:' .. list, due)
			if redis.call('EXISTS', prefix .. 'job:' .. due) == 1 then
				redis.call('RENAME', prefix .. 'job:' .. due, job)
				found = true
				break
			end
		end
	end
	for _, list in ipairs(KEYS) do
		if found then break end
		local message = redis.call('RPOP', list)
		if message then
			redis.call('HSET', job, 'message', message, 'list', list)
			found = true
		end
	end
	if not found then
		local next_ = -1
		for _, list in ipairs(KEYS) do
			local eta = redis.call('ZRANGE', prefix .. 'delayed:' .. list, 0, 0, 'WITHSCORES')[2]
			if eta and (next_ < 0 or eta - now < next_) then next_ = math.max(0, eta - now) end
		end
		return {next_}
	end
	-- By the clock, in microseconds, so that it grows even if the server has forgotten the last ones in a crash.
	local token = math.max((redis.call('GET', prefix .. 'token') or 0) + 1, t[1] * 1000000 + t[2])
	redis.call('SET', prefix .. 'token', token)
	redis.call('HSET', job, 'token', token, 'taken', now)
end
redis.call('ZADD', prefix .. 'leases', now + lease, receipt)
local got = redis.call('HMGET', job, 'message', 'list', 'token', 'taken')
return {got[1], got[2], tonumber(got[3]), tonumber(got[4])}
