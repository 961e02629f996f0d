// Asks iam-simulate what comes of requests: one JSON document per line of input, one answer per line of output.
//
//     node simulate.mjs .cache/iam < cases
//
// A case: {"identity": [policy], "boundary": policy?, "resource": policy?, "principal": arn, "action": "s3:GetObject",
// "on": arn, "account": "111122223333", "context": {key: value or values}}. An answer: Allowed, ExplicitlyDenied or
// ImplicitlyDenied; or an error, where the case itself is none that AWS knows. `tests/setup` installs the module.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const require = createRequire(resolve(process.argv[2], 'package.json'))
const { runSimulation } = require('@cloud-copilot/iam-simulate')

const everything = {
  orgIdentifier: 'o-1',
  policies: [{ name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }]
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const answer = await runSimulation(
    {
      request: {
        principal: asked.principal,
        action: asked.action,
        resource: { resource: asked.on, accountId: asked.account },
        contextVariables: asked.context
      },
      identityPolicies: asked.identity.map((policy, place) => ({ name: `p${place}`, policy })),
      serviceControlPolicies: [everything],
      resourceControlPolicies: [],
      resourcePolicy: asked.resource ?? undefined,
      permissionBoundaryPolicies: asked.boundary ? [{ name: 'boundary', policy: asked.boundary }] : undefined
    },
    {}
  )
  console.log(answer.resultType === 'single' ? answer.overallResult : `error: ${JSON.stringify(answer)}`)
}
