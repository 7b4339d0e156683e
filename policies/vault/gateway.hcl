# What the gateway may do in Vault if its certificate comes from there. Replace PARTY by
# the name of its PKI role:
#   sed s/PARTY/gateway/g gateway.hcl | vault policy write carnet-gateway -

# Its server certificate.
path "carnet-pki/sign/PARTY" { capabilities = ["update"] }

# New lists of revoked certificates when one is past half its life. Reading the lists, and
# the authorities, needs no permission.
path "carnet-pki/crl/rotate" { capabilities = ["read"] }

# The token prolongs itself.
path "auth/token/renew-self" { capabilities = ["update"] }
