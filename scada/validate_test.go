package scada

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestValidationNamesEveryMistake(t *testing.T) {
	for _, c := range []struct {
		want  string // path and the beginning of the message
		spoil func(c *Config)
	}{
		{`nodes[1].name: "CC" is taken by nodes[0]`, func(c *Config) { c.Nodes[1].Name = "CC" }},
		{`nodes[0].kind: "hub" is not one of cc, gateway, rtu, ied`, func(c *Config) { c.Nodes[0].Kind = "hub" }},
		{`nodes[5].name: is missing`, func(c *Config) { c.Nodes[5].Name = "" }},
		{`nodes[5].name: "A>B" contains >`, func(c *Config) { c.Nodes[5].Name = "A>B" }},
		{`links[1].name: "CC-GW1" is taken by links[0]`, func(c *Config) { c.Links[1].Name = "CC-GW1" }},
		{`links[0].b: no node "GW11", did you mean "GW1"?`, func(c *Config) { c.Links[0].B = "GW11" }},
		{`links[0].b: joins "CC" to itself`, func(c *Config) { c.Links[0].B = "CC" }},
		{`links[8].quantum: a quantum link joins control centres and gateways only`, func(c *Config) { c.Links[8].Quantum = true }},
		{`pmus[1].id: "pmu/4" is taken by pmus[0]`, func(c *Config) { c.PMUs[1].ID = "pmu/4" }},
		{`pmus[0].ied: "RTU4" is a rtu, not an ied`, func(c *Config) { c.PMUs[0].IED = "RTU4" }},
		{`generators[0].inertia_s: -1 is not a number from 0 on`, func(c *Config) { c.Generators[0].InertiaS = -1 }},
		{`generators[0].participation: NaN is not`, func(c *Config) { c.Generators[0].Participation = math.NaN() }},
		{`blocks[2].capacity_mw: -5 is not`, func(c *Config) { c.Blocks[2].CapacityMW = -5 }},
		{`classes.agd: no such task, did you mean "agc"?`, func(c *Config) { c.Classes = map[string]Class{"agd": {}} }},
		{`classes.agc.period: -1s: a periodic trigger needs a period`, func(c *Config) { c.Classes = map[string]Class{TaskAGC: {Period: -time.Second}} }},
		{`classes.avr.rate_hz: -0.2: a Poisson trigger needs a rate above 0`, func(c *Config) { c.Classes = map[string]Class{TaskAVR: {RateHz: -0.2}} }},
		{`classes.avr.trigger: "often" is not one of`, func(c *Config) { c.Classes = map[string]Class{TaskAVR: {Trigger: "often"}} }},
		{`classes.agc.asdu_type: 13: agc tasks are sent as 50 63`, func(c *Config) { c.Classes = map[string]Class{TaskAGC: {ASDUType: 13}} }},
		{`classes.pmu.trigger: "poisson": PMUs measure together`, func(c *Config) { c.Classes = map[string]Class{TaskPMU: {Trigger: Poisson, RateHz: 10}} }},
		{`classes.shed.trigger: "periodic": shed and breaker tasks`, func(c *Config) { c.Classes = map[string]Class{TaskShed: {Trigger: Periodic, Period: time.Second}} }},
		{`classes.pmu.direction: "down": pmu tasks go up`, func(c *Config) { c.Classes = map[string]Class{TaskPMU: {Direction: Down}} }},
		{`chains[3].id: "pmu-4" is taken by chains[0]`, func(c *Config) { c.Chains[3].ID = "pmu-4" }},
		{`chains[0].task: no task "pmv", did you mean "pmu"?`, func(c *Config) { c.Chains[0].Task = "pmv" }},
		{`chains[0].element: no "pnu/4" among pmus, did you mean "pmu/4"?`, func(c *Config) { c.Chains[0].Element = "pnu/4" }},
		{`chains[1].element: pmu of "pmu/4" is the task of chains[0] already`, func(c *Config) { c.Chains[1].Element = "pmu/4" }},
		{`chains[0].mode: aes is weaker than min_mode otp`, func(c *Config) { c.Chains[0].Mode, c.Chains[0].MinMode = AES, OTP }},
		{`chains[0].static_mode: aes-wc is weaker than min_mode otp`, func(c *Config) { c.Chains[0].MinMode = OTP }},
		{`chains[0].latency: -1s is negative`, func(c *Config) { c.Chains[0].Latency = -time.Second }},
		{`chains[0].priority: -3 is negative`, func(c *Config) { c.Chains[0].Priority = -3 }},
		{`chains[0].switch_cost: -0.1 is not`, func(c *Config) { c.Chains[0].SwitchCost = -0.1 }},
		{`chains[0].routes: a chain needs a route`, func(c *Config) { c.Chains[0].Routes = nil }},
		{`chains[0].routes[0]: has 1 nodes`, func(c *Config) { c.Chains[0].Routes[0] = []string{"CC"} }},
		{`chains[0].routes[0][2]: no node "GW12"`, func(c *Config) { c.Chains[0].Routes[0][2] = "GW12" }},
		{`chains[0].routes[1][2]: no link joins "RTU4" and "GW2"`, func(c *Config) { c.Chains[0].Routes[1] = []string{"IED-pmu-4", "RTU4", "GW2", "CC"} }},
		{`chains[0].routes[1][3]: passes "GW1" twice`, func(c *Config) { c.Chains[0].Routes[1][3] = "GW1" }},
		{`chains[0].routes[0][3]: link "CC-GW1" from GW1 to CC has no quantum key`, func(c *Config) { c.Links[0].Quantum = false }},
		{`chains[0].routes[0][3]: a pmu chain ends at a control centre, "IED-pmu-4" is a ied`, func(c *Config) { c.Chains[0].Routes[0] = reversed(c.Chains[0].Routes[0]) }},
		{`chains[0].routes[0][0]: pmu/4 is at "IED-pmu-4", not at "IED-block-4"`, func(c *Config) { c.Chains[0].Routes[0][0] = "IED-block-4" }},
		{`controller.stale_after: -1s is negative`, func(c *Config) { c.Controller.StaleAfter = -time.Second }},
		{`controller.emergency.threshold_mw: -200 is not`, func(c *Config) { c.Controller.Emergency.ThresholdMW = -200 }},
		{`crypto.rekey_messages: -1 is negative`, func(c *Config) { c.Crypto.RekeyMessages = -1 }},
		{`crypto.costs.otp.per_bit_ns: -1 is not`, func(c *Config) { c.Crypto.Costs.OTP.PerBitNS = -1 }},
	} {
		t.Run(c.want, func(t *testing.T) {
			cfg := testConfig()
			c.spoil(&cfg)
			var all []string
			for _, err := range cfg.Validate() {
				if _, ok := err.(FieldError); !ok {
					t.Errorf("%T: %v", err, err)
				}
				all = append(all, err.Error())
				if strings.HasPrefix(err.Error(), c.want) {
					return
				}
			}
			t.Errorf("got %q", all)
		})
	}
}

func TestValidationReportsAllAtOnce(t *testing.T) {
	cfg := testConfig()
	cfg.Chains[0].Latency = -1
	cfg.Chains[7].MinMode, cfg.Chains[7].Mode = OTP, AES
	cfg.Links[3].A = "nowhere"
	if n := len(cfg.Validate()); n < 3 {
		t.Errorf("%d mistakes", n)
	}
}

func TestShippedLayoutIsValid(t *testing.T) {
	cfg := testConfig()
	if errs := cfg.Validate(); len(errs) != 0 {
		t.Error(errs)
	}
}

func TestChainReadsFromYAML(t *testing.T) {
	const text = `
  - id: agc-30
    task: agc
    element: gen/30
    priority: 8
    mode: otp
    static_mode: otp
    min_mode: aes-wc
    latency: 1s
    routes:
      - [CC, GW1, RTU30, IED30]
      - [CC, GW2, GW1, RTU30, IED30]
    switch_cost: 0.2
`
	var got []Chain
	if err := yaml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := []Chain{{
		ID: "agc-30", Task: TaskAGC, Element: "gen/30", Priority: 8, Mode: OTP, StaticMode: OTP, MinMode: AESWC,
		Latency:    time.Second,
		Routes:     [][]string{{"CC", "GW1", "RTU30", "IED30"}, {"CC", "GW2", "GW1", "RTU30", "IED30"}},
		SwitchCost: 0.2,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestClassesFillWhatChainsLeaveEmpty(t *testing.T) {
	cfg := testConfig()
	cfg.Chains[0].Latency = 70 * time.Millisecond
	cfg.Classes = map[string]Class{TaskPMU: {Priority: 4, StaticMode: OTP}}
	r := cfg.Resolved()
	if c := r.Chains[0]; c.Latency != 70*time.Millisecond || c.Priority != 4 || c.Mode != OTP || c.StaticMode != OTP || c.MinMode != AES {
		t.Errorf("%+v", c)
	}
	if cfg.Chains[0].Priority != 0 {
		t.Error("the original changed")
	}
}
