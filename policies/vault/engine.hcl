# What one keyholder may do in the secrets engine vault-plugin-carnet, besides keyholder.hcl.
# Replace PARTY by its identifier:
#   sed s/PARTY/ch-customs/g engine.hcl | vault policy write carnet-engine-ch-customs -
# The engine is enabled at carnet-keys-PARTY. A keyholder never gets config, buyers,
# owners or successors: which policy key, parties and committees the engine trusts is for another person to say. A test
# removes every single permission and sees that something no longer works.

path "carnet-keys-PARTY/info" { capabilities = ["read"] }

# Import sealed seeds, see that they are held, hand parts on and take over others, which needs
# tickets, and destroy them when their owner retires the key. Whoever keeps retired keys (--retired keep) can leave delete out.
path "carnet-keys-PARTY/keys/*" { capabilities = ["read", "update", "delete"] }
path "carnet-keys-PARTY/keys" { capabilities = ["list"] }

# Answers, which need a release ticket each.
path "carnet-keys-PARTY/functional" { capabilities = ["update"] }
path "carnet-keys-PARTY/across" { capabilities = ["update"] }
path "carnet-keys-PARTY/share" { capabilities = ["update"] }
path "carnet-keys-PARTY/check" { capabilities = ["update"] }
