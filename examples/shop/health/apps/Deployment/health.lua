-- A folder has no controllers that would roll a Deployment out, so this judges what was written.
local replicas = obj.spec.replicas or 1
if replicas == 0 then
  return {status = "Suspended", message = "scaled to zero"}
end
for _, container in ipairs(obj.spec.template.spec.containers) do
  if not container.image:find(":[%w._-]+$") or container.image:find(":latest$") then
    return {status = "Degraded", message = "image " .. container.image .. " names no version"}
  end
end
return {status = "Healthy", message = replicas .. " replicas wanted"}
