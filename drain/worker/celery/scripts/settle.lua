-- Ends a hand-out, if it is still the caller's: stores the result, if there is one, and puts the message where it goes.
-- ARGV: prefix, receipt, outcome, how long the outcome is remembered in ms,
--   the result's key ('' for none), the result, how long it is kept in ms,
--   where the message goes: '' nowhere, 'head' or 'tail' of its list, 'dead' letters, or the time in ms until which it is set aside,
--   the message if it has changed ('' if not), what is written before a dead letter,
--   'expired' if this is for a lease that has run out.
-- Returns the outcome of the hand-out: the caller's, an earlier one, or 'unknown'.
local prefix, receipt, outcome, remember = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key, result, keep = ARGV[5], ARGV[6], ARGV[7]
local where, changed, preface, expired = ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local job, leases, done = prefix .. 'job:' .. receipt, prefix .. 'leases', prefix .. 'done:' .. receipt
local lease = redis.call('ZSCORE', leases, receipt)
if not lease then
	return redis.call('GET', done) or 'unknown'
end
if expired == 'expired' then
	local t = redis.call('TIME')
	if tonumber(lease) > t[1] * 1000 + math.floor(t[2] / 1000) then
		return 'renewed'
	end
end
if key ~= '' then
	-- A success stays (celery/backends/base.py, KeyValueStoreBackend._store_result).
	local current = redis.call('GET', key)
	local ok, meta = pcall(cjson.decode, current or '{}')
	if not (ok and type(meta) == 'table' and meta['status'] == 'SUCCESS') then
		redis.call('SET', key, result, 'PX', keep)
		redis.call('PUBLISH', key, result)
	end
end
local got = redis.call('HMGET', job, 'message', 'list')
local message, list = got[1], got[2]
if changed ~= '' then message = changed end
redis.call('ZREM', leases, receipt)
if where == 'head' then
	redis.call('RPUSH', list, message)
elseif where == 'tail' then
	redis.call('LPUSH', list, message)
elseif where == 'dead' then
	redis.call('LPUSH', prefix .. 'dead', preface .. '\n' .. list .. '\n' .. message)
elseif where ~= '' then
	redis.call('ZADD', prefix .. 'delayed:' .. list, where, receipt)
end
if where == '' or not tonumber(where) then
	redis.call('DEL', job)
end
redis.call('SET', done, outcome, 'PX', remember)
return outcome
