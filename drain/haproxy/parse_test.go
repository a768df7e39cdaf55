package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const stateHeader = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord\n"

func TestStatesAreReadOrRefused(t *testing.T) {
	states, err := parseStates("1\n" + stateHeader + "3 b 1 s1 127.0.0.1 2 40 1 1 90 8 2 0 6 22 0 0 - 19001 -\n\n")
	require.NoError(t, err)
	require.Equal(t, []ServerState{{Server: Server{"b", "s1"}, Address: "127.0.0.1", Port: 19001, Admin: Maint, Running: true,
		Weight: 1, InitialWeight: 1, LastChange: 90e9, HasAgent: true, AgentOn: true}}, states)
	for text, says := range map[string]string{
		"":                               `of version ""`,
		"2\n" + stateHeader:              `of version "2", and not 1`,
		"1\n# be_name\nb\n":              "no column srv_admin_state",
		"1\n" + stateHeader + "3 b 1 s1": "no column srv_op_state",
		"1\n" + stateHeader + "3 b 1 s1 a x 0 1 1 90 8 2 0 6 22 0 0 - 19001 -\n": `column srv_op_state is no number: "x"`,
	} {
		_, err := parseStates(text)
		require.ErrorContains(t, err, says, text)
	}
}

func TestStatsAreReadOrRefused(t *testing.T) {
	for text, says := range map[string]string{
		"":                   "does not begin with the names of its columns",
		"Unbekannt\n":        "does not begin with the names of its columns",
		"# pxname\nweb\n":    "no column svname",
		"# a,b\n\"half":      "extraneous or missing",
		"# pxname,scur\nw,x": `column scur is no number: "x"`,
	} {
		_, err := parseStats(text)
		require.ErrorContains(t, err, says, text)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("1\n" + stateHeader + "3 b 1 s1 127.0.0.1 2 40 1 1 90 8 2 0 6 22 0 0 - 19001 -\n\n")
	f.Add("# pxname,svname,scur\nb,s1,4\n")
	f.Fuzz(func(t *testing.T, text string) {
		states, err := parseStates(text)
		require.False(t, err != nil && states != nil)
		stats, err := parseStats(text)
		require.False(t, err != nil && stats != nil)
		for _, s := range stats {
			_ = s.Field("scur")
		}
	})
}
