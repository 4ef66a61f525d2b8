-- SPDX-License-Identifier: Apache-2.0
-- A Certificate is what its Ready condition says; while it is being issued, a missing one is no failure yet.
local ready, issuing

for _, c in ipairs(obj.status and obj.status.conditions or {}) do
  if c.type == "Ready" then
    ready = c
  elseif c.type == "Issuing" then
    issuing = c
  end
end

if ready and ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
if issuing and issuing.status == "True" then
  return { status = "Progressing", message = issuing.message }
end
-- cert-manager leaves Issuing at False with the reason when an attempt has failed; it tries again later.
if issuing and issuing.reason == "Failed" then
  return { status = "Degraded", message = issuing.message }
end
if ready then
  return { status = "Degraded", message = ready.message }
end
return { status = "Progressing", message = "waiting for cert-manager" }
