-- wrk sends the same small statement again and again, each time under a new idempotency key.
local file = io.open(os.getenv("STATEMENT"), "rb")
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
wrk.headers["Authorization"] = os.getenv("AUTHORIZATION")
wrk.headers["Content-Digest"] = os.getenv("DIGEST")

local count = 0
local letters = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" }

function request()
  count = count + 1
  local key = tostring(count):gsub("%d", function(digit) return letters[tonumber(digit) + 1] end)
  wrk.headers["Idempotency-Key"] = os.getenv("RUN") .. key
  return wrk.format()
end

local refused = 0
function response(status)
  if status ~= 201 then refused = refused + 1 end
end
