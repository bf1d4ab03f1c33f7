package cuts

// SetMost lets a test fill the list with fewer entries.
func (l *List) SetMost(n int) { l.mu.Lock(); defer l.mu.Unlock(); l.most = n }
