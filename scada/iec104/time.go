package iec104

import "time"

// CP56Time2a is the seven-octet time tag as it stands in the frame, so that
// decoding and encoding keep every bit: milliseconds of the minute (2 octets,
// little-endian), minute with invalid bit, hour with summer-time bit, day of
// month with day of week, month, year of the century.
type CP56Time2a [7]byte

// TimeTag is the time tag of t in t's own location, to the millisecond (cut,
// not rounded). The day of week is left 0 (unused).
func TimeTag(t time.Time) CP56Time2a {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	ms := second*1000 + t.Nanosecond()/1e6
	return CP56Time2a{
		byte(ms), byte(ms >> 8), byte(minute), byte(hour), byte(day), byte(month), byte(year % 100),
	}
}

// Time reads the tag as a time of the years 2000 to 2099 in UTC; false when
// the sender marked it invalid or a field is out of range.
func (c CP56Time2a) Time() (time.Time, bool) {
	ms := int(c[0]) | int(c[1])<<8
	minute, hour := int(c[2]&0x3f), int(c[3]&0x1f)
	day, month, year := int(c[4]&0x1f), int(c[5]&0x0f), 2000+int(c[6]&0x7f)
	t := time.Date(year, time.Month(month), day, hour, minute, 0, ms*1e6, time.UTC)
	// time.Date carries what is out of range into the next field.
	_, m, d := t.Date()
	inRange := ms < 60000 && minute < 60 && hour < 24 && year < 2100 && int(m) == month && d == day
	return t, inRange && c[2]&0x80 == 0
}
