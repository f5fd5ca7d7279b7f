-- The health of a StreamProcessor, for Argo CD: see README.md beside this file.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

-- holds returns the condition of a type if it is True.
local function holds(type)
  local condition = conditions[type]
  if condition ~= nil and condition.status == "True" then
    return condition
  end
end

-- The operator has not looked at this version of the object yet.
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not seen this version yet" }
end

local stalled = holds("Stalled")
if stalled ~= nil then
  return { status = "Degraded", message = stalled.message }
end
local reconciling = holds("Reconciling")
if reconciling ~= nil then
  return { status = "Progressing", message = reconciling.message }
end
local suspended = holds("Suspended")
if suspended ~= nil then
  return { status = "Suspended", message = suspended.message }
end
-- It runs, and yet somebody has to act.
for _, type in ipairs({ "StuckPartition", "OffsetsGone" }) do
  local trouble = holds(type)
  if trouble ~= nil then
    return { status = "Degraded", message = trouble.message }
  end
end
local ready = conditions.Ready
if ready ~= nil and ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
return { status = "Progressing", message = ready ~= nil and ready.message or "" }
