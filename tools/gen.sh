#!/usr/bin/env bash
# Generates pkg/api from protos/, the generated pages of docs/reference from the code and
# the assembly from tools/asm. Installs buf and the plugins at exact versions into .bin/
# (ignored by git), so that everyone generates the same bytes; the CI check runs this
# script and fails if anything changed.
set -euo pipefail
cd "$(dirname "$0")/.."

BIN="$PWD/.bin"
export PATH="$BIN:$PATH"

# install PACKAGE VERSION: installs the command unless that version is there.
install() {
	local name=${1##*/}
	if [[ -x $BIN/$name ]] && go version -m "$BIN/$name" | grep -qE "^\s+mod\s.*\s$2(\s|$)"; then
		return
	fi
	echo "installing $name $2" >&2
	GOBIN="$BIN" GOFLAGS= go install "$1@$2"
}

install github.com/bufbuild/buf/cmd/buf v1.59.0
install google.golang.org/protobuf/cmd/protoc-gen-go v1.36.11
install google.golang.org/grpc/cmd/protoc-gen-go-grpc v1.5.1
install github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway v2.27.3
install github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2 v2.27.3

buf lint
rm -rf pkg/api/carnet
buf generate
mv pkg/api/openapi.swagger.json pkg/api/openapi.json

go run ./internal/gendocs

(cd tools/asm && go vet . && go test . && go run . ../..)
