package batch

import (
	"fmt"

	"github.com/pierrec/lz4/v4"
	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/config"
)

// compressions maps the configuration's names to codecs. Batches with another name are
// not compressed.
var compressions = map[config.Compression]compress.Compression{
	config.Gzip:   compress.Gzip,
	config.Snappy: compress.Snappy,
	config.LZ4:    compress.Lz4,
	config.Zstd:   compress.Zstd,
}

// CodecOf returns the codec that the configuration names; the default is none.
func CodecOf(name config.Compression) compress.Compression { return compressions[name] }

// Packed reports whether the batch is compressed.
func (b *Builder) Packed() bool { return b.packed != nil }

// PackTried reports whether Pack was called since Start or Unpack.
func (b *Builder) PackTried() bool { return b.packTried }

// Codec returns the codec that the batch is compressed with.
func (b *Builder) Codec() compress.Compression { return compress.Compression(b.codec) }

// Unpack discards the compressed batch: the builder needs Pack and Finish again.
func (b *Builder) Unpack() {
	b.packed.Release()
	b.packed, b.codec, b.packTried, b.ready = nil, 0, false, false
}

// Pack compresses the records, unless that makes them no smaller.
func (b *Builder) Pack(codec compress.Compression, pool *Pool) error {
	b.packTried = true
	w := packWriter{pool: pool, memory: pool.Get(batchHeaderSize + b.end/4), at: batchHeaderSize}
	err := w.compress(codec, b.data[batchHeaderSize:b.end])
	if err != nil {
		w.memory.Release()
		return fmt.Errorf("compress with %s: %w", codec, err)
	}
	if w.at >= b.end {
		w.memory.Release()
		return nil
	}
	b.packed, b.packedTo, b.codec = w.memory, w.at, int8(codec)
	return nil
}

func (w *packWriter) compress(codec compress.Compression, records []byte) error {
	compressor := codec.Codec().NewWriter(w)
	var err error
	if blocks, ok := compressor.(interface{ Apply(...lz4.Option) error }); ok {
		// Readers take the memory of a whole block, however little is in it.
		// Java's blocks are of this size too; the default is 4 MiB.
		err = blocks.Apply(lz4.BlockSizeOption(lz4.Block64Kb))
	}
	if err == nil {
		_, err = compressor.Write(records)
	}
	if cerr := compressor.Close(); err == nil {
		err = cerr
	}
	return err
}

// packWriter writes to pooled memory that grows.
type packWriter struct {
	pool   *Pool
	memory *Buffer
	at     int
}

// Write implements io.Writer.
func (w *packWriter) Write(p []byte) (int, error) {
	if need := w.at + len(p); need > len(w.memory.data) {
		larger := w.pool.Get(max(need, 2*len(w.memory.data)))
		copy(larger.data, w.memory.data[:w.at])
		w.memory.Release()
		w.memory = larger
	}
	w.at += copy(w.memory.data[w.at:], p)
	return len(p), nil
}
