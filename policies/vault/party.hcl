# What an owner, buyer or another person may do in Vault, and nothing else: keep its own
# identity and dataset keys. Replace PARTY by its identifier:
#   sed s/PARTY/kz-customs/g party.hcl | vault policy write carnet-kz-customs -

# Wrapped identity and dataset keys. They are never overwritten, but for the identity.
path "carnet/data/PARTY/files/*" { capabilities = ["create", "read"] }

# carnet party rotate replaces the identity, and destroys the one before.
path "carnet/data/PARTY/files/identity" { capabilities = ["create", "read", "update"] }
path "carnet/destroy/PARTY/files/identity" { capabilities = ["update"] }

# Wrapping. The key itself is made by the administrator.
path "carnet-transit/keys/PARTY-wrap" { capabilities = ["read"] }
path "carnet-transit/encrypt/PARTY-wrap" { capabilities = ["update"] }
path "carnet-transit/decrypt/PARTY-wrap" { capabilities = ["update"] }

# Its certificate. Leave this out if certificates come from elsewhere.
path "carnet-pki/sign/PARTY" { capabilities = ["update"] }

# The token prolongs itself.
path "auth/token/renew-self" { capabilities = ["update"] }
