-- Renews leases. ARGV: prefix, lease in ms, receipts. Returns those that are not leased.
local t = redis.call('TIME')
local until_ = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]
local lost = {}
for i = 3, #ARGV do
	if redis.call('ZSCORE', ARGV[1] .. 'leases', ARGV[i]) then
		redis.call('ZADD', ARGV[1] .. 'leases', until_, ARGV[i])
	else
		table.insert(lost, ARGV[i])
	end
end
return lost
