package iec104

import "fmt"

// TypeID is the type identification of an ASDU.
type TypeID uint8

// The types this package encodes and decodes, under the names of the standard
// (M_ monitoring, C_ control direction).
const (
	MSpNa1 TypeID = 1   // M_SP_NA_1: single point
	MDpNa1 TypeID = 3   // M_DP_NA_1: double point
	MStNa1 TypeID = 5   // M_ST_NA_1: step position
	MBoNa1 TypeID = 7   // M_BO_NA_1: bitstring of 32 bits
	MMeNa1 TypeID = 9   // M_ME_NA_1: measured value, normalised
	MMeNb1 TypeID = 11  // M_ME_NB_1: measured value, scaled
	MMeNc1 TypeID = 13  // M_ME_NC_1: measured value, short float
	MItNa1 TypeID = 15  // M_IT_NA_1: integrated totals
	MSpTb1 TypeID = 30  // M_SP_TB_1: single point with time
	MDpTb1 TypeID = 31  // M_DP_TB_1: double point with time
	MMeTd1 TypeID = 34  // M_ME_TD_1: measured value, normalised, with time
	MMeTe1 TypeID = 35  // M_ME_TE_1: measured value, scaled, with time
	MMeTf1 TypeID = 36  // M_ME_TF_1: measured value, short float, with time
	CScNa1 TypeID = 45  // C_SC_NA_1: single command
	CDcNa1 TypeID = 46  // C_DC_NA_1: double command
	CSeNa1 TypeID = 48  // C_SE_NA_1: set point, normalised
	CSeNb1 TypeID = 49  // C_SE_NB_1: set point, scaled
	CSeNc1 TypeID = 50  // C_SE_NC_1: set point, short float
	CScTa1 TypeID = 58  // C_SC_TA_1: single command with time
	CSeTc1 TypeID = 63  // C_SE_TC_1: set point, short float, with time
	MEiNa1 TypeID = 70  // M_EI_NA_1: end of initialisation
	CIcNa1 TypeID = 100 // C_IC_NA_1: interrogation
	CCiNa1 TypeID = 101 // C_CI_NA_1: counter interrogation
	CRdNa1 TypeID = 102 // C_RD_NA_1: read
	CCsNa1 TypeID = 103 // C_CS_NA_1: clock synchronisation
	CTsTa1 TypeID = 107 // C_TS_TA_1: test with time
)

// layout is how one information object of a type stands in the ASDU, after its
// address: value octets, then a qualifier octet, then a time tag.
//
// A single or double point and a single or double command keep value and
// quality (or select bit) in one octet; that octet is the qualifier.
type layout struct {
	name      string
	value     int // octets, 0 to 4
	qualifier bool
	time      bool
	single    bool // always exactly one object, SQ 0
	size      int  // octets of value, qualifier and time together
}

var layouts = func() (t [256]layout) {
	row := func(id TypeID, name string, value int, qualifier, time, single bool) {
		size := value
		if qualifier {
			size++
		}
		if time {
			size += len(CP56Time2a{})
		}
		t[id] = layout{name, value, qualifier, time, single, size}
	}
	//  type    name         value qual.  time   single
	row(MSpNa1, "M_SP_NA_1", 0, true, false, false)
	row(MDpNa1, "M_DP_NA_1", 0, true, false, false)
	row(MStNa1, "M_ST_NA_1", 1, true, false, false)
	row(MBoNa1, "M_BO_NA_1", 4, true, false, false)
	row(MMeNa1, "M_ME_NA_1", 2, true, false, false)
	row(MMeNb1, "M_ME_NB_1", 2, true, false, false)
	row(MMeNc1, "M_ME_NC_1", 4, true, false, false)
	row(MItNa1, "M_IT_NA_1", 4, true, false, false)
	row(MSpTb1, "M_SP_TB_1", 0, true, true, false)
	row(MDpTb1, "M_DP_TB_1", 0, true, true, false)
	row(MMeTd1, "M_ME_TD_1", 2, true, true, false)
	row(MMeTe1, "M_ME_TE_1", 2, true, true, false)
	row(MMeTf1, "M_ME_TF_1", 4, true, true, false)
	row(CScNa1, "C_SC_NA_1", 0, true, false, true)
	row(CDcNa1, "C_DC_NA_1", 0, true, false, true)
	row(CSeNa1, "C_SE_NA_1", 2, true, false, true)
	row(CSeNb1, "C_SE_NB_1", 2, true, false, true)
	row(CSeNc1, "C_SE_NC_1", 4, true, false, true)
	row(CScTa1, "C_SC_TA_1", 0, true, true, true)
	row(CSeTc1, "C_SE_TC_1", 4, true, true, true)
	row(MEiNa1, "M_EI_NA_1", 0, true, false, true)
	row(CIcNa1, "C_IC_NA_1", 0, true, false, true)
	row(CCiNa1, "C_CI_NA_1", 0, true, false, true)
	row(CRdNa1, "C_RD_NA_1", 0, false, false, true)
	row(CCsNa1, "C_CS_NA_1", 0, false, true, true)
	row(CTsTa1, "C_TS_TA_1", 2, false, true, true)
	return t
}()

// Known reports whether the package can encode and decode the type.
func (t TypeID) Known() bool { return layouts[t].name != "" }

// String is the standard's name, for example "M_ME_TF_1".
func (t TypeID) String() string {
	if !t.Known() {
		return fmt.Sprintf("type %d", uint8(t))
	}
	return layouts[t].name
}

// sequenceAllowed: consecutive addresses under one (SQ 1) exist only for
// monitored values without time.
func (l *layout) sequenceAllowed() bool { return !l.single && !l.time }

// asduSize is the octets of an ASDU of n objects.
func (l *layout) asduSize(n int, sequence bool) int {
	if sequence {
		return asduHeader + ioaSize + n*l.size
	}
	return asduHeader + n*(ioaSize+l.size)
}

// MaxObjects is how many objects of the type one frame holds, with addresses of
// their own or, as a sequence, under the first one's; 0 where there is no such
// frame.
func (t TypeID) MaxObjects(sequence bool) int {
	l := &layouts[t]
	room := MaxLength - minLength - asduHeader
	switch {
	case l.name == "", sequence && !l.sequenceAllowed():
		return 0
	case l.single:
		return 1
	case sequence:
		return min(maxObjects, (room-ioaSize)/l.size)
	}
	return min(maxObjects, room/(ioaSize+l.size))
}

// Types lists every type in the table in rising order.
func Types() []TypeID {
	var list []TypeID
	for i := range layouts {
		if TypeID(i).Known() {
			list = append(list, TypeID(i))
		}
	}
	return list
}

// Cause is the cause of transmission.
type Cause uint8

// Causes of transmission (IEC 60870-5-101, 7.2.3).
const (
	Periodic          Cause = 1
	Background        Cause = 2
	Spontaneous       Cause = 3
	Initialised       Cause = 4
	Request           Cause = 5
	Activation        Cause = 6
	ActivationCon     Cause = 7
	Deactivation      Cause = 8
	DeactivationCon   Cause = 9
	ActivationTerm    Cause = 10
	ReturnRemote      Cause = 11
	ReturnLocal       Cause = 12
	FileTransfer      Cause = 13
	Interrogated      Cause = 20 // by station interrogation; 21 to 36 by group 1 to 16
	CounterRequested  Cause = 37 // by general counter request; 38 to 41 by group 1 to 4
	UnknownType       Cause = 44
	UnknownCause      Cause = 45
	UnknownCommonAddr Cause = 46
	UnknownObjectAddr Cause = 47
)

// Qualifiers of interrogation commands.
const (
	StationInterrogation uint8 = 20 // QOI
	CounterInterrogation uint8 = 5  // QCC: general request counter
)
