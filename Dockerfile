# An image of one program of this module, for those who build with Docker; make
# images builds all of them without. Both make the same: the program, the
# certificates of public authorities, and nothing else.
#
#   docker build -t millrace-worker .
#   docker build --build-arg PACKAGE=./cmd/operator -t millrace-operator .
#   docker build --build-arg PACKAGE=./config/samples/language -t sample-language .
#
# buildah takes it as well (buildah bud -t millrace-worker .).
ARG GO_IMAGE=golang:1.26

FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS build
ARG PACKAGE=./cmd/worker
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# timetzdata: expressions may name time zones, and the image has no files of them.
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -tags timetzdata -ldflags="-s -w" -o /out/program ${PACKAGE}

# The list of public authorities is the one that go.mod pins, whatever the image
# of the toolchain has.
RUN go run ./hack/images --version none --only certificates --out /out

FROM scratch
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="Processes Kafka topics with StreamProcessors" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/millrace-dev/millrace" \
      org.opencontainers.image.vendor="The Millrace authors" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/program /program
USER 65532:65532
ENTRYPOINT ["/program"]
