-- Finds hand-outs whose leases have run out, and that many at most. ARGV: prefix, how many. Returns receipt and message of each, the last taken first.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local found = {}
for _, receipt in ipairs(redis.call('ZRANGEBYSCORE', ARGV[1] .. 'leases', '-inf', now, 'LIMIT', 0, ARGV[2])) do
	local got = redis.call('HMGET', ARGV[1] .. 'job:' .. receipt, 'message', 'token')
	if got[1] then
		table.insert(found, {receipt, got[1], tonumber(got[2])})
	else
		redis.call('ZREM', ARGV[1] .. 'leases', receipt)
	end
end
table.sort(found, function(a, b) return a[3] > b[3] end)
return found
