"""The filter that tells a service which certificate the customer showed: `Client-Cert` (RFC 9440)."""

from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from bothways.xds import names
from bothways.xds.typed import any_of

_SCRIPT_NAME = "client-cert"
_REMEMBERED = 4096

# Envoy has the certificate as percent-encoded PEM alone; the base64 inside is the one that RFC 9440 wants. Each worker
# remembers what it converted, by fingerprint, and forgets all of it when there is too much.
_SCRIPT = f"""
local remembered, count = {{}}, 0

local function converted(pem)
  local plain = string.gsub(pem, "%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
  local base64 = string.match(plain, "^%-+BEGIN CERTIFICATE%-+(.-)%-+END CERTIFICATE%-+%s*$")
  return ":" .. string.gsub(base64, "%s", "") .. ":"
end

function envoy_on_request(handle)
  local tls = handle:streamInfo():downstreamSslConnection()
  local fingerprint = tls:sha256PeerCertificateDigest()
  local value = remembered[fingerprint]
  if value == nil then
    value = converted(tls:urlEncodedPemEncodedPeerCertificate())
    if count == {_REMEMBERED} then
      remembered, count = {{}}, 0
    end
    remembered[fingerprint] = value
    count = count + 1
  end
  handle:headers():replace("{names.CLIENT_CERT_HEADER}", value)
end
"""


def client_cert_filter() -> Any:
    """Return the filter, which is off: a route that leads to a service switches it on by `with_client_cert()`."""
    script = base_pb2.DataSource(inline_string=_SCRIPT)
    return http_connection_manager_pb2.HttpFilter(
        name=names.LUA_FILTER,
        typed_config=any_of(lua_pb2.Lua(source_codes={_SCRIPT_NAME: script})),
        disabled=True,
    )


def with_client_cert() -> Any:
    """Return the route's part of the filter."""
    return lua_pb2.LuaPerRoute(name=_SCRIPT_NAME)
