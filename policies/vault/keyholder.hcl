# What one keyholder may do in Vault, and nothing else. Replace PARTY by its identifier:
#   sed s/PARTY/ch-customs/g keyholder.hcl | vault policy write carnet-ch-customs -
# Mounts: carnet (KV version 2), carnet-transit, carnet-pki. A test removes every single
# permission and sees that something no longer works.

# The wrapped sealing key, written by carnet-keyholder init and when keys are replaced.
path "carnet/data/PARTY/sealing" { capabilities = ["create", "read", "update"] }
path "carnet/destroy/PARTY/sealing" { capabilities = ["update"] }

# Wrapped seeds of dataset keys, and the marks of destroyed ones.
path "carnet/data/PARTY/keys/*" { capabilities = ["create", "read", "update"] }
path "carnet/metadata/PARTY/keys" { capabilities = ["list"] }
path "carnet/destroy/PARTY/keys/*" { capabilities = ["update"] }

# How far the ledger had come.
path "carnet/data/PARTY/mark" { capabilities = ["create", "read", "update"] }

# Wrapping and signing. The keys themselves are made by the administrator.
path "carnet-transit/keys/PARTY-wrap" { capabilities = ["read"] }
path "carnet-transit/keys/PARTY-sign" { capabilities = ["read"] }
path "carnet-transit/encrypt/PARTY-wrap" { capabilities = ["update"] }
path "carnet-transit/decrypt/PARTY-wrap" { capabilities = ["update"] }
path "carnet-transit/sign/PARTY-sign" { capabilities = ["update"] }

# Its certificate. Leave this out if certificates come from elsewhere.
path "carnet-pki/sign/PARTY" { capabilities = ["update"] }

# The token prolongs itself.
path "auth/token/renew-self" { capabilities = ["update"] }
