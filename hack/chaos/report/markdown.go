package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/worker/config"
)

// page collects the lines of a Markdown document.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

// row adds a row of a table.
func (p *page) row(cells ...any) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(p, "| %v ", cell)
	}
	p.line("|")
}

// table begins a table.
func (p *page) table(heads ...any) {
	p.line("")
	p.row(heads...)
	p.line("%s|", strings.Repeat("|---", len(heads)))
}

// Markdown returns the report as a document.
func Markdown(runs []Run, found string) string {
	p := &page{}
	p.line("# What the chaos runs have shown")
	p.line("")
	p.line("`make chaos` made this page. It runs three brokers of Apache Kafka and workers as processes, disturbs them by a schedule that follows from a seed, and reads everything back. [Its package](../hack/chaos) has the rules. The JSON beside this page has each fault and each process.")
	for i := range runs {
		runs[i].write(p)
	}
	if found != "" {
		p.line("")
		p.line("%s", strings.TrimSpace(found))
	}
	return p.String()
}

func (r *Run) write(p *page) {
	p.line("")
	p.line("## %s, %s", r.Program, r.Delivery)
	p.line("")
	p.line("Seed %d, begun %s: %d faults in %s, %d records, %d processes. The same faults come again with:", r.Seed, r.Begun.Format(time.DateTime), r.Total.Count(),
		r.Length.Round(time.Second), r.Total.Figures.Records, r.Total.Processes)
	p.line("")
	p.line("```")
	p.line("%s", r.Command)
	p.line("```")
	if r.Cut {
		p.line("")
		p.line("The run was ended early.")
	}
	r.writeVerdict(p)
	r.writeFigures(p)
	r.writeFaults(p)
	r.writeCauses(p)
	r.writeStalls(p)
	r.writeEpisodes(p)
}

func (r *Run) writeVerdict(p *page) {
	p.line("")
	if r.Error != "" {
		p.line("**The run failed**: %s", r.Error)
		p.line("")
	}
	if len(r.Total.Violations) == 0 {
		p.line("**No rule was broken**: nothing lost, changed or reordered, %s, no commit ahead of what readers could see, and no stall beyond its bound.", r.doubled())
		return
	}
	p.line("**Rules were broken.**")
	p.table("rule", "times", "the first ones")
	for _, rule := range slices.Sorted(maps.Keys(r.Total.Violations)) {
		b := r.Total.Violations[rule]
		var first []string
		for _, v := range b.First[:min(len(b.First), 3)] {
			first = append(first, strings.ReplaceAll(v.Detail, "|", "\\|"))
		}
		p.row(rule, b.Count, strings.Join(first, "<br>"))
	}
}

func (r *Run) doubled() string {
	if r.Delivery == config.ExactlyOnce {
		return "nothing doubled"
	}
	return "no duplicate without a fault that explains it"
}

func (r *Run) writeFigures(p *page) {
	f := r.Total.Figures
	p.table("figure", "value")
	p.row("records written", f.Records)
	p.row("outputs read", f.Outputs)
	p.row("dead letters read", f.DeadLetters)
	p.row("duplicates", f.Duplicates)
	p.row("records behind later ones of their key, because the output topic had grown or refused them", f.Crossed)
	p.row("sampled commits", f.Commits)
	p.row("committed offsets that a sample showed lower than before, in a fault of Kafka", f.CommitsBack)
	if r.Delivery == config.ExactlyOnce {
		p.row("ends of transactions in a partition", fmt.Sprintf("%d commits, %d aborts", f.Transactions, f.Aborted))
		p.row("transactions, from the first record in a partition to the end", fmt.Sprintf("99 of 100 within %s, the longest %s", short(f.MostTransactions), short(f.LongestTransaction)))
		p.row("oldest open transaction that a coordinator showed", short(f.OldestOpen))
	}
	p.row("most memory of a process", fmt.Sprintf("%d MiB", r.Total.Memory>>20))
	p.row("time in which other programs kept the machine busy", short(r.Total.Starved))
}

func (r *Run) writeFaults(p *page) {
	p.table("fault", "alone", "overlapping", "not possible then")
	for _, k := range r.Total.Faults {
		p.row(k.Name, k.Alone, k.Overlapping, k.NotPossible)
	}
}

func (r *Run) writeCauses(p *page) {
	if len(r.Total.Causes) == 0 {
		return
	}
	p.line("")
	p.line("Duplicates by cause. The bound is the number of outputs that the processes had written when they ended, and that no sampled commit covered.")
	p.table("cause", "faults with duplicates", "duplicates", "most of one fault", "bound")
	for _, c := range r.Total.Causes {
		bound := "-"
		if c.Bound > 0 {
			bound = fmt.Sprint(c.Bound)
		}
		p.row(c.Kind, c.Faults, c.Duplicates, c.Most, bound)
	}
}

func (r *Run) writeStalls(p *page) {
	for _, alone := range []bool{true, false} {
		p.line("")
		if alone {
			p.line("For how long nothing came out of a partition after a fault alone (median and longest of the partitions):")
		} else {
			p.line("The same while other faults were in force, which share the blame:")
		}
		p.table("fault", "times", "partitions that moved", "partitions that stayed", "not judged")
		for _, s := range r.Total.Stalls {
			if s.Alone == alone {
				p.row(s.Kind, s.Faults, gaps(s.Moved), gaps(s.Stayed), s.Starved)
			}
		}
	}
	p.line("")
	p.line("Gaps are not judged while other programs keep the machine busy: they take a quarter of its processors, or this program gets none for 0.3 s.")
}

func gaps(g check.Gaps) string {
	if g.Partitions == 0 {
		return "-"
	}
	return fmt.Sprintf("%s, %s (%d)", short(g.Median), short(g.Longest), g.Partitions)
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

func (r *Run) writeEpisodes(p *page) {
	p.table("episode", "settings", "faults", "records", "duplicates")
	for i := range r.Episodes {
		e := &r.Episodes[i]
		p.row(i+1, e.Settings, len(e.Events), e.Verdict.Figures.Records, e.Verdict.Figures.Duplicates)
	}
}
