package sample

// section is a section of the Harmonized System: its chapters, how often they occur,
// and what their goods are like.
type section struct {
	code        string
	first, last int   // chapters
	weight      int64 // relative frequency of a declaration
	median      int64 // median value: log2 of cents, in eighths
	price       int64 // cents per kilogram
	harvest     bool  // traded most in late summer
}

var sections = [21]section{
	{"01", 1, 5, 30, 156, 350, true},
	{"02", 6, 14, 60, 152, 120, true},
	{"03", 15, 15, 8, 158, 140, false},
	{"04", 16, 24, 55, 154, 210, true},
	{"05", 25, 27, 70, 176, 45, false},
	{"06", 28, 38, 95, 158, 480, false},
	{"07", 39, 40, 70, 152, 360, false},
	{"08", 41, 43, 12, 146, 1300, false},
	{"09", 44, 46, 15, 148, 90, false},
	{"10", 47, 49, 25, 146, 170, false},
	{"11", 50, 63, 95, 146, 900, false},
	{"12", 64, 67, 25, 144, 1400, false},
	{"13", 68, 70, 25, 144, 110, false},
	{"14", 71, 71, 6, 180, 2_400_000, false},
	{"15", 72, 83, 85, 160, 260, false},
	{"16", 84, 85, 190, 160, 3100, false},
	{"17", 86, 89, 55, 170, 1500, false},
	{"18", 90, 92, 40, 154, 9000, false},
	{"19", 93, 93, 2, 150, 4200, false},
	{"20", 94, 96, 35, 146, 700, false},
	{"21", 97, 97, 2, 156, 150_000, false},
}

// leanings say which sections a jurisdiction trades more of, in multiples.
var leanings = map[string]map[string]int64{
	"KZ": {"05": 6, "15": 4, "02": 2, "06": 2},
	"UZ": {"11": 4, "02": 4, "14": 5, "17": 2},
	"CN": {"16": 4, "11": 2, "20": 4, "12": 3},
	"KG": {"14": 6, "11": 3, "02": 2},
	"TR": {"11": 3, "17": 3, "15": 2},
	"DE": {"17": 4, "16": 2, "06": 3, "18": 3},
}

var partners = [12]string{"CN", "DE", "IT", "KG", "KR", "KZ", "PL", "RU", "TJ", "TM", "TR", "UZ"}

// ties are the weights of partners by jurisdiction; the jurisdiction itself gets none.
var ties = map[string][12]int64{
	"":   {30, 14, 9, 3, 12, 8, 6, 16, 2, 3, 10, 7},
	"KZ": {28, 6, 10, 5, 6, 0, 2, 34, 3, 2, 7, 11},
	"UZ": {30, 5, 2, 5, 10, 18, 1, 26, 5, 4, 11, 0},
	"CN": {0, 24, 11, 3, 34, 9, 8, 32, 1, 2, 8, 3},
}

// seasons are the weights of months, ordinary and for crops.
var seasons = [2][12]int64{
	{70, 72, 85, 84, 83, 86, 84, 82, 90, 94, 98, 104},
	{52, 50, 58, 60, 70, 84, 104, 128, 136, 112, 80, 66},
}

var tradeNames = [2][]string{
	{"Altan", "Amber Gate", "Arys", "Blue Yurt", "Caravan", "Cedar Pass", "Dostyk", "Eastwind", "Golden Steppe", "Irbis", "Juniper", "Kite Hill",
		"Lapis", "Mulberry", "Nine Rivers", "Orda", "Paper Crane", "Qanat", "Red Poppy", "Saxaul", "Silver Loom", "Tulip Field", "Two Humps", "White Falcon"},
	{"Agro", "Cargo", "Import", "Machinery", "Metals", "Supply", "Textiles", "Trading"},
}
