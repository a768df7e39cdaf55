-- Sends a message once, however often the connection breaks: at the left, since takers are at the right. KEYS: the list. ARGV: prefix, the
-- message's tag, the message.
if redis.call('SET', ARGV[1] .. 'sent:' .. ARGV[2], 1, 'NX', 'PX', 60000) then
	redis.call('LPUSH', KEYS[1], ARGV[3])
end
return 1
