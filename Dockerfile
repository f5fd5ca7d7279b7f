# The worker's image; with another PACKAGE that of any program of this module:
#
#   docker build -t millrace-worker .
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

FROM scratch
LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="Processes Kafka topics with StreamProcessors" \
      org.opencontainers.image.source="https://github.com/millrace-dev/millrace" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/program /program
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/program"]
