package batch

import "sync"

// maxPooledOrigins bounds the origins that unused builders have room for: 6 MiB.
const maxPooledOrigins = 1 << 18

// BuilderPool keeps builders, and with them the room for their origins, for
// reuse.
type BuilderPool struct {
	mu      sync.Mutex
	free    []*Builder // guarded by mu
	origins int        // that those in free have room for; guarded by mu
}

// Get returns an empty Builder, a used one if there is one.
func (p *BuilderPool) Get() *Builder {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return &Builder{}
	}
	b := p.free[len(p.free)-1]
	p.free[len(p.free)-1] = nil
	p.free = p.free[:len(p.free)-1]
	p.origins -= cap(b.origins)
	return b
}

// Put takes back a builder whose memory was freed.
func (p *BuilderPool) Put(b *Builder) {
	// The owners must not be kept alive.
	clear(b.origins)
	*b = Builder{origins: b.origins[:0]}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.origins+cap(b.origins) <= maxPooledOrigins {
		p.free = append(p.free, b)
		p.origins += cap(b.origins)
	}
}
