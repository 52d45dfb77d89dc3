-- Arguments: the file with the body, the mark in it that each request replaces, the start of the ids.
local head, tail, family
local count = 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  head = wrk.format()
  family = arguments[3]
  local first, last = head:find(arguments[2], 1, true)
  if first then
    head, tail = head:sub(1, first - 1), head:sub(last + 1)
  end
end

function request()
  if not tail then return head end
  count = count + 1
  return head .. string.format("%s-7000-8000-%012x", family, count) .. tail
end

function done(summary, latency)
  local failures = {}
  for kind, count in pairs(summary.errors) do
    if count > 0 then table.insert(failures, count .. " " .. kind) end
  end
  io.write(string.format(
    '\n{"perSecond":%f,"p50":%f,"p99":%f,"failures":"%s"}\n',
    summary.requests * 1e6 / summary.duration,
    latency:percentile(50), latency:percentile(99), table.concat(failures, ", ")
  ))
end
