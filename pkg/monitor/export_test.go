package monitor

// Keep has a monitor keep fewer questions than it would.
func (m *Monitor) Keep(questions int) { m.asked.most = questions }
