<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>RunSummary</name>
    <message>
        <source>%1 by %2 at %3%</source>
        <translation>%1 mit %2 bei %3%</translation>
    </message>
</context>
<context>
    <name>keepset::Metric</name>
    <message>
        <source>perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>exp of the mean loss over the scored tokens</source>
        <translation>exp des mittleren Verlusts der gewerteten Token</translation>
    </message>
    <message>
        <source>ratio to dense</source>
        <translation>Verhältnis zu dense</translation>
    </message>
    <message>
        <source>Perplexity ÷ dense</source>
        <translation>Perplexität ÷ dense</translation>
    </message>
    <message>
        <source>Perplexity divided by that of the model with nothing evicted</source>
        <translation>Perplexität geteilt durch die des Modells, bei dem nichts verworfen ist</translation>
    </message>
    <message>
        <source>ΔNLL to dense</source>
        <translation>ΔNLL zu dense</translation>
    </message>
    <message>
        <source>ΔNLL</source>
        <translation>ΔNLL</translation>
    </message>
    <message>
        <source>Mean loss minus that of the model with nothing evicted</source>
        <translation>Mittlerer Verlust minus dem des Modells, bei dem nichts verworfen ist</translation>
    </message>
    <message>
        <source>KL to dense</source>
        <translation>KL zu dense</translation>
    </message>
    <message>
        <source>KL(dense ‖ method)</source>
        <translation>KL(dense ‖ Verfahren)</translation>
    </message>
    <message>
        <source>How far the predictions are from dense&apos;s, mean over the scored tokens</source>
        <translation>Wie weit die Vorhersagen von denen von dense entfernt sind, Mittel der gewerteten Token</translation>
    </message>
    <message>
        <source>top-1 agreement</source>
        <translation>Übereinstimmung der ersten Wahl</translation>
    </message>
    <message>
        <source>Same first choice as dense</source>
        <translation>Gleiche erste Wahl wie dense</translation>
    </message>
    <message>
        <source>Share of the scored tokens at which the likeliest next token is dense&apos;s</source>
        <translation>Anteil der gewerteten Token, bei denen das wahrscheinlichste nächste Token das von dense ist</translation>
    </message>
    <message>
        <source>kept attention mass</source>
        <translation>behaltene Aufmerksamkeit</translation>
    </message>
    <message>
        <source>Attention mass kept</source>
        <translation>Behaltene Aufmerksamkeit</translation>
    </message>
    <message>
        <source>Share of the context&apos;s attention that went to what is kept</source>
        <translation>Anteil der Aufmerksamkeit des Kontexts, der auf das Behaltene fiel</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>Sekunden</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>The point&apos;s share of the target passes of all windows done</source>
        <translation>Anteil des Punktes an den Zieldurchläufen aller fertigen Fenster</translation>
    </message>
    <message>
        <source>nats</source>
        <translation>Nats</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>ΔNLL of the median token</source>
        <translation>ΔNLL des mittleren Tokens</translation>
    </message>
    <message>
        <source>Half of the window&apos;s tokens lose less than this to dense, mean over windows</source>
        <translation>Die Hälfte der Token eines Fensters verliert weniger als das gegenüber dense, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>ΔNLL, 95th percentile</source>
        <translation>ΔNLL, 95. Perzentil</translation>
    </message>
    <message>
        <source>One token in twenty loses more than this to dense, mean over windows</source>
        <translation>Eines von zwanzig Token verliert mehr als das gegenüber dense, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>ΔNLL, 99th percentile</source>
        <translation>ΔNLL, 99. Perzentil</translation>
    </message>
    <message>
        <source>One token in a hundred loses more than this to dense, mean over windows</source>
        <translation>Eines von hundert Token verliert mehr als das gegenüber dense, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>tokens that lose over 1 nat</source>
        <translation>Token, die über 1 Nat verlieren</translation>
    </message>
    <message>
        <source>Tokens with ΔNLL above 1 nat</source>
        <translation>Token mit ΔNLL über 1 Nat</translation>
    </message>
    <message>
        <source>Share of the scored tokens that lose more than 1 nat to dense</source>
        <translation>Anteil der gewerteten Token, die gegenüber dense mehr als 1 Nat verlieren</translation>
    </message>
    <message>
        <source>KL of the median token</source>
        <translation>KL des mittleren Tokens</translation>
    </message>
    <message>
        <source>Half of the window&apos;s predictions are nearer to dense&apos;s than this, mean over windows</source>
        <translation>Die Hälfte der Vorhersagen eines Fensters liegt näher an denen von dense, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>KL, 95th percentile</source>
        <translation>KL, 95. Perzentil</translation>
    </message>
    <message>
        <source>One prediction in twenty is further from dense&apos;s than this, mean over windows</source>
        <translation>Eine von zwanzig Vorhersagen liegt weiter von der von dense entfernt, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>KL, 99th percentile</source>
        <translation>KL, 99. Perzentil</translation>
    </message>
    <message>
        <source>One prediction in a hundred is further from dense&apos;s than this, mean over windows</source>
        <translation>Eine von hundert Vorhersagen liegt weiter von der von dense entfernt, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>ΔNLL on key tokens</source>
        <translation>ΔNLL auf Schlüsseltoken</translation>
    </message>
    <message>
        <source>Mean loss minus dense&apos;s over the tokens that need the context, as dense alone judges</source>
        <translation>Mittlerer Verlust minus dem von dense über die Token, die den Kontext brauchen, wie dense allein urteilt</translation>
    </message>
    <message>
        <source>ΔNLL of targets 1–32</source>
        <translation>ΔNLL der Ziele 1–32</translation>
    </message>
    <message>
        <source>Mean loss minus dense&apos;s right behind the context</source>
        <translation>Mittlerer Verlust minus dem von dense gleich hinter dem Kontext</translation>
    </message>
    <message>
        <source>ΔNLL of targets 33–128</source>
        <translation>ΔNLL der Ziele 33–128</translation>
    </message>
    <message>
        <source>Mean loss minus dense&apos;s of the targets 33 to 128 behind the context</source>
        <translation>Mittlerer Verlust minus dem von dense der Ziele 33 bis 128 hinter dem Kontext</translation>
    </message>
    <message>
        <source>ΔNLL of targets from 129 on</source>
        <translation>ΔNLL der Ziele ab 129</translation>
    </message>
    <message>
        <source>Mean loss minus dense&apos;s of the targets from the 129th behind the context on</source>
        <translation>Mittlerer Verlust minus dem von dense der Ziele ab dem 129. hinter dem Kontext</translation>
    </message>
    <message>
        <source>tokens evicted everywhere</source>
        <translation>überall verworfene Token</translation>
    </message>
    <message>
        <source>Context tokens that no row keeps</source>
        <translation>Kontexttoken, die keine Zeile behält</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Context tokens of which no layer and kv head keeps anything, mean over windows</source>
        <translation>Kontexttoken, von denen keine Schicht und kein KV-Kopf etwas behält, Mittel über die Fenster</translation>
    </message>
    <message>
        <source>rows that hold token 0</source>
        <translation>Zeilen mit Token 0</translation>
    </message>
    <message>
        <source>Rows that hold token 0</source>
        <translation>Zeilen mit Token 0</translation>
    </message>
    <message>
        <source>Share of the rows (layer and kv head) that keep the first context token</source>
        <translation>Anteil der Zeilen (Schicht und KV-Kopf), die das erste Kontexttoken behalten</translation>
    </message>
    <message>
        <source>rows that hold the newest token</source>
        <translation>Zeilen mit dem neuesten Token</translation>
    </message>
    <message>
        <source>Rows that hold the newest token</source>
        <translation>Zeilen mit dem neuesten Token</translation>
    </message>
    <message>
        <source>Share of the rows (layer and kv head) that keep the last context token</source>
        <translation>Anteil der Zeilen (Schicht und KV-Kopf), die das letzte Kontexttoken behalten</translation>
    </message>
    <message>
        <source>entries kept</source>
        <translation>behaltene Einträge</translation>
    </message>
    <message>
        <source>Entries kept in a row</source>
        <translation>Behaltene Einträge je Zeile</translation>
    </message>
    <message>
        <source>Cache entries that were kept, mean over the rows (layers × kv heads) and windows</source>
        <translation>Einträge des Caches, die behalten wurden, im Mittel über die Zeilen (Schicht × KV-Kopf) und Fenster</translation>
    </message>
</context>
<context>
    <name>keepset::Progress</name>
    <message>
        <source>reading weights</source>
        <translation>Gewichte lesen</translation>
    </message>
    <message>
        <source>hashing the weights</source>
        <translation>Prüfsumme der Gewichte</translation>
    </message>
    <message>
        <source>attention pass</source>
        <translation>Durchlauf</translation>
    </message>
    <message>
        <source>attention map</source>
        <translation>Aufmerksamkeitskarte</translation>
    </message>
    <message>
        <source>who reads a token</source>
        <translation>Leser eines Tokens</translation>
    </message>
    <message>
        <source>finding bridges</source>
        <translation>Brücken suchen</translation>
    </message>
    <message>
        <source>selecting</source>
        <translation>auswählen</translation>
    </message>
    <message>
        <source>bytes</source>
        <translation>Byte</translation>
    </message>
    <message>
        <source>layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>keep sets</source>
        <translation>Auswahlmengen</translation>
    </message>
    <message>
        <source>points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>window %1 of %2</source>
        <translation>Fenster %1 von %2</translation>
    </message>
    <message>
        <source>%1 of %2 %3</source>
        <translation>%3: %1 von %2</translation>
    </message>
    <message>
        <source>%1 %2/s</source>
        <translation>%1 %2/s</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>attention of the last queries</source>
        <translation>Aufmerksamkeit der letzten Queries</translation>
    </message>
</context>
<context>
    <name>keepset::ui</name>
    <message>
        <source>Cannot tell the format of %1. End the name in .png, .svg, .pdf or .csv.</source>
        <translation>Das Format von %1 ist nicht zu erkennen. Der Name muss auf .png, .svg, .pdf oder .csv enden.</translation>
    </message>
    <message>
        <source>from %1</source>
        <translation>ab %1</translation>
    </message>
    <message>
        <source>%1 on %2</source>
        <translation>%1 auf %2</translation>
    </message>
    <message>
        <source>not of the open model and text</source>
        <translation>nicht vom offenen Modell und Text</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>%1 evicted</source>
        <translation>%1 verworfen</translation>
    </message>
    <message>
        <source>windows of %1 + %2</source>
        <translation>Fenster von %1 + %2</translation>
    </message>
    <message>
        <source>keep set per %1 · %2</source>
        <translation>Auswahl je %1 · %2</translation>
    </message>
    <message>
        <source>%1 of %2 windows</source>
        <translation>%1 von %2 Fenstern</translation>
    </message>
    <message>
        <source>counting the text&apos;s tokens …</source>
        <translation>die Token des Texts werden gezählt …</translation>
    </message>
    <message>
        <source>the text&apos;s tokens are not counted</source>
        <translation>die Token des Texts sind nicht gezählt</translation>
    </message>
    <message>
        <source>all %1 windows of the text</source>
        <translation>alle %1 Fenster des Texts</translation>
    </message>
    <message>
        <source>%1 of the text&apos;s %2 windows</source>
        <translation>%1 von %2 Fenstern des Texts</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>etwa %1</translation>
    </message>
    <message>
        <source>%1 of memory, %2 free</source>
        <translation>%1 Speicher, %2 frei</translation>
    </message>
    <message>
        <source>✕ %1 is not drawn. %2</source>
        <translation>✕ %1 ist nicht gezeichnet. %2</translation>
    </message>
    <message>
        <source>≠ %1 has %2.</source>
        <translation>≠ %1 hat %2.</translation>
    </message>
    <message>
        <source>⚠ Audit, %1: %2</source>
        <translation>⚠ Prüfung, %1: %2</translation>
    </message>
    <message>
        <source>%1 marked to stay, %2 to go</source>
        <translation>%1 sollen bleiben, %2 weg</translation>
    </message>
    <message>
        <source>evicts in %1 of %2 layers</source>
        <translation>verwirft in %1 von %2 Schichten</translation>
    </message>
    <message>
        <source>last query</source>
        <translation>letzte Query</translation>
    </message>
    <message>
        <source>last %1 queries</source>
        <translation>letzte %1 Queries</translation>
    </message>
    <message>
        <source>importance, %1</source>
        <translation>Wichtigkeit, %1</translation>
    </message>
    <message>
        <source>cumulative importance</source>
        <translation>kumulierte Wichtigkeit</translation>
    </message>
    <message>
        <source>importance, mean received</source>
        <translation>Wichtigkeit, Mittel des Empfangenen</translation>
    </message>
</context>
<context>
    <name>keepset::ui::AttentionPage</name>
    <message>
        <source>Attention, query × key</source>
        <translation>Aufmerksamkeit, Query × Key</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Query head</source>
        <translation>Query-Kopf</translation>
    </message>
    <message>
        <source>What is shown where several tokens share a pixel</source>
        <translation>Was gezeigt wird, wo mehrere Token ein Pixel teilen</translation>
    </message>
    <message>
        <source>largest</source>
        <translation>größter Wert</translation>
    </message>
    <message>
        <source>mean</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Colour scale</source>
        <translation>Farbskala</translation>
    </message>
    <message>
        <source>log</source>
        <translation>logarithmisch</translation>
    </message>
    <message>
        <source>linear</source>
        <translation>linear</translation>
    </message>
    <message>
        <source>percentile</source>
        <translation>Perzentil</translation>
    </message>
    <message>
        <source>same colours</source>
        <translation>gleiche Farben</translation>
    </message>
    <message>
        <source>The same colours in every layer, head and part: up to probability 1, on the log scale from a tenth of an even share. Otherwise colours are fitted to what is drawn.</source>
        <translation>Die gleichen Farben in jeder Schicht, jedem Kopf und jedem Ausschnitt: bis zur Wahrscheinlichkeit 1, auf der logarithmischen Skala ab einem Zehntel eines gleichen Anteils. Sonst richten sich die Farben nach dem, was gezeichnet ist.</translation>
    </message>
    <message>
        <source>Same colours in every layer, head and part</source>
        <translation>Gleiche Farben in jeder Schicht, jedem Kopf und jedem Ausschnitt</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Looks at the part before (Backspace or right click)</source>
        <translation>Zeigt den vorigen Ausschnitt (Rücktaste oder Rechtsklick)</translation>
    </message>
    <message>
        <source>Whole</source>
        <translation>Ganz</translation>
    </message>
    <message>
        <source>Looks at the whole map (0 or double click)</source>
        <translation>Zeigt die ganze Karte (0 oder Doppelklick)</translation>
    </message>
    <message>
        <source>Exports the map as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert die Karte als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>Kopf %1</translation>
    </message>
    <message>
        <source>Open a model and a text, then press Analyse.</source>
        <translation>Öffnen Sie ein Modell und einen Text und drücken Sie Analysieren.</translation>
    </message>
    <message>
        <source>One moment …</source>
        <translation>Einen Moment …</translation>
    </message>
    <message>
        <source>Drawing … %1</source>
        <translation>Wird gezeichnet … %1</translation>
    </message>
    <message>
        <source>The queries and keys of this analysis were not kept, for want of memory. %1
Analyse a shorter context.</source>
        <translation>Die Querys und Keys dieser Analyse wurden aus Speichermangel nicht behalten. %1
Analysieren Sie einen kürzeren Kontext.</translation>
    </message>
    <message>
        <source>This analysis has no queries and keys to recompute attention from; a trace file has none either.
Open the model and analyse the text here.</source>
        <translation>Diese Analyse hat keine Querys und Keys, aus denen sich die Aufmerksamkeit berechnen ließe; auch eine Trace-Datei hat keine.
Öffnen Sie das Modell und analysieren Sie den Text hier.</translation>
    </message>
    <message>
        <source>probability that a query (down) gives a key (across) · %1 scale</source>
        <translation>Wahrscheinlichkeit, die eine Query (unten) einem Key (rechts) gibt · Skala: %1</translation>
    </message>
    <message>
        <source> · largest of %1 × %2 tokens</source>
        <translation> · größter Wert von %1 × %2 Token</translation>
    </message>
    <message>
        <source> · mean of %1 × %2 tokens</source>
        <translation> · Mittel von %1 × %2 Token</translation>
    </message>
    <message>
        <source> · a pixel shows the largest of its tokens</source>
        <translation> · ein Pixel zeigt den größten Wert seiner Token</translation>
    </message>
    <message>
        <source> · a pixel shows the mean of its tokens</source>
        <translation> · ein Pixel zeigt das Mittel seiner Token</translation>
    </message>
    <message>
        <source> · drawing … %1</source>
        <translation> · wird gezeichnet … %1</translation>
    </message>
    <message>
        <source> · drawing layer %1, head %2 … %3</source>
        <translation> · Schicht %1, Kopf %2 wird gezeichnet … %3</translation>
    </message>
    <message>
        <source>query</source>
        <translation>Query</translation>
    </message>
    <message>
        <source>key</source>
        <translation>Key</translation>
    </message>
    <message>
        <source>probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Attention, layer %1, head %2</source>
        <translation>Aufmerksamkeit, Schicht %1, Kopf %2</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Aufmerksamkeit</translation>
    </message>
    <message>
        <source>layer %1, head %2 · %3</source>
        <translation>Schicht %1, Kopf %2 · %3</translation>
    </message>
    <message>
        <source>%1 %2</source>
        <translation>%1 %2</translation>
    </message>
    <message>
        <source>%1–%2 %3 … %4</source>
        <translation>%1–%2 %3 … %4</translation>
    </message>
    <message>
        <source>hidden: the key comes after the query, or its window is past</source>
        <translation>verdeckt: der Key kommt nach der Query, oder ihr Fenster ist vorbei</translation>
    </message>
    <message>
        <source>largest probability of them</source>
        <translation>größte Wahrscheinlichkeit davon</translation>
    </message>
    <message>
        <source>mean probability of them</source>
        <translation>mittlere Wahrscheinlichkeit davon</translation>
    </message>
    <message>
        <source>layer %1 · head %2 · query %3 · key %4 · %6 %5</source>
        <translation>Schicht %1 · Kopf %2 · Query %3 · Key %4 · %6 %5</translation>
    </message>
    <message>
        <source> · share kept: %1</source>
        <translation> · behaltener Anteil: %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::AuditLine</name>
    <message>
        <source>Opens the audit</source>
        <translation>Öffnet die Prüfung</translation>
    </message>
    <message>
        <source>✗ fail</source>
        <translation>✗ nicht bestanden</translation>
    </message>
    <message>
        <source>? undecided</source>
        <translation>? unentschieden</translation>
    </message>
    <message>
        <source>! warning</source>
        <translation>! Warnung</translation>
    </message>
    <message>
        <source>✓ pass</source>
        <translation>✓ bestanden</translation>
    </message>
    <message>
        <source>nothing checked yet</source>
        <translation>noch nichts geprüft</translation>
    </message>
</context>
<context>
    <name>keepset::ui::AuditPage</name>
    <message>
        <source>pass</source>
        <translation>bestanden</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>fail</source>
        <translation>nicht bestanden</translation>
    </message>
    <message>
        <source>undecided</source>
        <translation>unentschieden</translation>
    </message>
    <message>
        <source>not checked</source>
        <translation>nicht geprüft</translation>
    </message>
    <message>
        <source>Audit</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>Which audit is looked at</source>
        <translation>Welche Prüfung gezeigt wird</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copies the report as text</source>
        <translation>Kopiert den Bericht als Text</translation>
    </message>
    <message>
        <source>Save …</source>
        <translation>Speichern …</translation>
    </message>
    <message>
        <source>Saves the report as a text file</source>
        <translation>Speichert den Bericht als Textdatei</translation>
    </message>
    <message>
        <source>Open table or file …</source>
        <translation>Tabelle oder Datei öffnen …</translation>
    </message>
    <message>
        <source>Audits a results table (.csv: method, sparsity, perplexity) or a file of Keepset (.h5)</source>
        <translation>Prüft eine Ergebnistabelle (.csv: method, sparsity, perplexity) oder eine Datei von Keepset (.h5)</translation>
    </message>
    <message>
        <source>analysis</source>
        <translation>Analyse</translation>
    </message>
    <message>
        <source>sweep</source>
        <translation>Sweep</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Bericht speichern</translation>
    </message>
    <message>
        <source>Text (*.txt)</source>
        <translation>Text (*.txt)</translation>
    </message>
    <message>
        <source>Nothing to audit yet. An analysis and a sweep are audited as they are made; a results table from elsewhere can be opened here.</source>
        <translation>Noch nichts zu prüfen. Analysen und Sweeps werden geprüft, während sie entstehen; eine Ergebnistabelle von anderswo lässt sich hier öffnen.</translation>
    </message>
    <message>
        <source>1 check fails: this result must not be believed as it stands.</source>
        <translation>1 Prüfung ist nicht bestanden: Diesem Ergebnis ist so nicht zu trauen.</translation>
    </message>
    <message>
        <source>%1 checks fail: this result must not be believed as it stands.</source>
        <translation>%1 Prüfungen sind nicht bestanden: Diesem Ergebnis ist so nicht zu trauen.</translation>
    </message>
    <message>
        <source>No check fails; warnings: %1.</source>
        <translation>Alles bestanden; Warnungen: %1.</translation>
    </message>
    <message>
        <source>Every check that applies passes.</source>
        <translation>Jede Prüfung, die hier gilt, ist bestanden.</translation>
    </message>
    <message>
        <source>Export …</source>
        <translation>Exportieren …</translation>
    </message>
    <message>
        <source>Exports the curves as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert die Kurven als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>Copy picture</source>
        <translation>Bild kopieren</translation>
    </message>
    <message>
        <source>Copies the picture of the curves</source>
        <translation>Kopiert das Bild der Kurven</translation>
    </message>
</context>
<context>
    <name>keepset::ui::Card</name>
    <message>
        <source>Export …</source>
        <translation>Exportieren …</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copies the picture</source>
        <translation>Kopiert das Bild</translation>
    </message>
</context>
<context>
    <name>keepset::ui::DropOverlay</name>
    <message>
        <source>Drop a model folder, a text, a run or trace</source>
        <translation>Modellordner, Text, Sweep oder Analyse hier ablegen</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ErrorBar</name>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Dismiss (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
</context>
<context>
    <name>keepset::ui::Exporter</name>
    <message>
        <source>Picture (*.png);;Vector graphics (*.svg);;PDF (*.pdf);;Table of the data (*.csv)</source>
        <translation>Bild (*.png);;Vektorgrafik (*.svg);;PDF (*.pdf);;Tabelle der Daten (*.csv)</translation>
    </message>
    <message>
        <source>Export: %1</source>
        <translation>Exportieren: %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::HeadsPage</name>
    <message>
        <source>Heads</source>
        <translation>Köpfe</translation>
    </message>
    <message>
        <source>largest</source>
        <translation>größter</translation>
    </message>
    <message>
        <source>mean</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>What a pixel shows when several tokens share it</source>
        <translation>Was ein Pixel zeigt, das mehrere Token teilen</translation>
    </message>
    <message>
        <source>log</source>
        <translation>log</translation>
    </message>
    <message>
        <source>linear</source>
        <translation>linear</translation>
    </message>
    <message>
        <source>percentile</source>
        <translation>Perzentil</translation>
    </message>
    <message>
        <source>Colour scale</source>
        <translation>Farbskala</translation>
    </message>
    <message>
        <source>Exports the sheet of heads as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert den Bogen der Köpfe als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>Heads by their numbers</source>
        <translation>Köpfe nach ihren Zahlen</translation>
    </message>
    <message>
        <source>Across</source>
        <translation>Nach rechts</translation>
    </message>
    <message>
        <source>Upwards</source>
        <translation>Nach oben</translation>
    </message>
    <message>
        <source>Exports the heads as PNG, SVG, PDF or CSV with all their numbers</source>
        <translation>Exportiert die Köpfe als PNG, SVG, PDF oder CSV mit allen ihren Zahlen</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>query head</source>
        <translation>Query-Kopf</translation>
    </message>
    <message>
        <source>One moment …</source>
        <translation>Einen Moment …</translation>
    </message>
    <message>
        <source>Open a model and a text, then press Analyse.</source>
        <translation>Ein Modell und einen Text öffnen, dann Analysieren drücken.</translation>
    </message>
    <message>
        <source>%1 layers × %2 heads</source>
        <translation>%1 Schichten × %2 Köpfe</translation>
    </message>
    <message>
        <source>importance over the %1 tokens, from left to right in every tile · %2 · %3</source>
        <translation>Wichtigkeit über den %1 Token, in jeder Kachel von links nach rechts · %2 · %3</translation>
    </message>
    <message>
        <source>a pixel shows the largest of its tokens</source>
        <translation>ein Pixel zeigt das größte seiner Token</translation>
    </message>
    <message>
        <source>a pixel shows the mean of its tokens</source>
        <translation>ein Pixel zeigt das Mittel seiner Token</translation>
    </message>
    <message>
        <source>%1 of %2 layers so far · </source>
        <translation>bisher %1 von %2 Schichten · </translation>
    </message>
</context>
<context>
    <name>keepset::ui::HeatmapPage</name>
    <message>
        <source>log</source>
        <translation>logarithmisch</translation>
    </message>
    <message>
        <source>linear</source>
        <translation>linear</translation>
    </message>
    <message>
        <source>percentile</source>
        <translation>Perzentil</translation>
    </message>
    <message>
        <source>Colour scale</source>
        <translation>Farbskala</translation>
    </message>
    <message>
        <source>largest</source>
        <translation>größter Wert</translation>
    </message>
    <message>
        <source>mean</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>What a pixel shows when several cells share it</source>
        <translation>Was ein Pixel zeigt, wenn mehrere Zellen es teilen</translation>
    </message>
    <message>
        <source>same colours in both</source>
        <translation>gleiche Farben in beiden</translation>
    </message>
    <message>
        <source>Exports the layer map as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert die Karte der Schichten als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>Exports the head map as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert die Karte der Köpfe als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>Importance, layer × token</source>
        <translation>Wichtigkeit, Schicht × Token</translation>
    </message>
    <message>
        <source>Head × token</source>
        <translation>Kopf × Token</translation>
    </message>
    <message>
        <source>The maps cannot be shown: %1</source>
        <translation>Die Karten lassen sich nicht zeigen: %1</translation>
    </message>
    <message>
        <source>token position</source>
        <translation>Position des Tokens</translation>
    </message>
    <message>
        <source>One moment …</source>
        <translation>Einen Moment …</translation>
    </message>
    <message>
        <source>Open a model and a text, then press Analyse.</source>
        <translation>Öffnen Sie ein Modell und einen Text und drücken Sie Analysieren.</translation>
    </message>
    <message>
        <source>a pixel shows the largest of its cells</source>
        <translation>ein Pixel zeigt den größten Wert seiner Zellen</translation>
    </message>
    <message>
        <source>a pixel shows the mean of its cells</source>
        <translation>ein Pixel zeigt das Mittel seiner Zellen</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Importance, layer %1, head × token</source>
        <translation>Wichtigkeit, Schicht %1, Kopf × Token</translation>
    </message>
    <message>
        <source>head</source>
        <translation>Kopf</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>Kopf %1</translation>
    </message>
    <message>
        <source>mean of %1 heads</source>
        <translation>Mittel von %1 Köpfen</translation>
    </message>
    <message>
        <source>importance</source>
        <translation>Wichtigkeit</translation>
    </message>
    <message>
        <source>token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>token %1 · %2 · %3 · importance %4</source>
        <translation>Token %1 · %2 · %3 · Wichtigkeit %4</translation>
    </message>
    <message>
        <source>mean of %1 heads · %2 · %3 tokens, %4</source>
        <translation>Mittel von %1 Köpfen · %2 · %3 Token, %4</translation>
    </message>
    <message>
        <source>%1 query heads</source>
        <translation>%1 Query-Köpfe</translation>
    </message>
    <message>
        <source> · share kept: %1</source>
        <translation> · Anteil behalten: %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::HelpWindow</name>
    <message>
        <source>Contents</source>
        <translation>Inhalt</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Erste Schritte</translation>
    </message>
    <message>
        <source>What the numbers mean</source>
        <translation>Was die Zahlen bedeuten</translation>
    </message>
    <message>
        <source>Policies</source>
        <translation>Verfahren</translation>
    </message>
    <message>
        <source>Model families</source>
        <translation>Modellfamilien</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Command line</source>
        <translation>Befehlszeile</translation>
    </message>
    <message>
        <source>Benchmarks</source>
        <translation>Messungen</translation>
    </message>
    <message>
        <source>Keepset manual</source>
        <translation>Handbuch von Keepset</translation>
    </message>
    <message>
        <source>Pages of the manual</source>
        <translation>Seiten des Handbuchs</translation>
    </message>
    <message>
        <source>Page of the manual</source>
        <translation>Seite des Handbuchs</translation>
    </message>
    <message>
        <source>← Back</source>
        <translation>← Zurück</translation>
    </message>
    <message>
        <source>Shows the page before (Alt+Left)</source>
        <translation>Zeigt die vorige Seite (Alt+Links)</translation>
    </message>
    <message>
        <source>Search the manual … Ctrl+F</source>
        <translation>Handbuch durchsuchen … Strg+F</translation>
    </message>
    <message>
        <source>Search the manual</source>
        <translation>Handbuch durchsuchen</translation>
    </message>
    <message>
        <source>The page %1 is not in this build.</source>
        <translation>Die Seite %1 fehlt in diesem Programm.</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>Your own method</source>
        <translation>Eigenes Verfahren</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ImportanceBox</name>
    <message>
        <source>Importance</source>
        <translation>Wichtigkeit</translation>
    </message>
    <message>
        <source>cumulative: all attention a token received; mean-received: per token that could see it; window: from the last queries alone; last-query: from the last token alone</source>
        <translation>cumulative: alle Aufmerksamkeit, die ein Token bekam; mean-received: je Token, das es sehen konnte; window: nur die der letzten Queries; last-query: nur die des letzten Tokens</translation>
    </message>
    <message>
        <source>last </source>
        <translation>letzte </translation>
    </message>
    <message>
        <source>Queries of the window</source>
        <translation>Queries des Fensters</translation>
    </message>
    <message>
        <source> query</source>
        <translation> Query</translation>
    </message>
    <message>
        <source> queries</source>
        <translation> Queries</translation>
    </message>
    <message>
        <source>How many of the last queries give their attention: as many as SnapKV&apos;s window has, for example</source>
        <translation>Wie viele der letzten Queries ihre Aufmerksamkeit geben: zum Beispiel so viele, wie SnapKVs Fenster hat</translation>
    </message>
    <message>
        <source>A file holds the windows that it was made with</source>
        <translation>Eine Datei enthält die Fenster, mit denen sie gemacht wurde</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ImportanceStrip</name>
    <message>
        <source>Wheel: zoom; drag: move; right click: back; double click: show everything; click: choose a token. Bars: share of the tokens under a pixel that is kept</source>
        <translation>Rad: vergrößern; ziehen: verschieben; Rechtsklick: zurück; Doppelklick: alles zeigen; Klick: Token wählen. Balken: behaltener Anteil der Token unter einem Pixel</translation>
    </message>
    <message>
        <source>Importance over position</source>
        <translation>Wichtigkeit über der Position</translation>
    </message>
    <message>
        <source>log</source>
        <translation>log</translation>
    </message>
    <message>
        <source>%1 · by token position · bars: share kept of the tokens under a pixel</source>
        <translation>%1 · nach Tokenposition · Balken: behaltener Anteil der Token unter einem Pixel</translation>
    </message>
    <message>
        <source>%1 · by token position</source>
        <translation>%1 · nach Tokenposition</translation>
    </message>
</context>
<context>
    <name>keepset::ui::JaccardMap</name>
    <message>
        <source>Jaccard of the two keep sets in every layer and kv head</source>
        <translation>Jaccard der beiden Auswahlen in jeder Schicht und jedem KV-Kopf</translation>
    </message>
    <message>
        <source>layer %1, kv head %2: Jaccard %3</source>
        <translation>Schicht %1, KV-Kopf %2: Jaccard %3</translation>
    </message>
</context>
<context>
    <name>keepset::ui::LabelMap</name>
    <message>
        <source>Label of the token in every layer and kv head</source>
        <translation>Rolle des Tokens in jeder Schicht und jedem KV-Kopf</translation>
    </message>
    <message>
        <source>layer %1, kv head %2: %3</source>
        <translation>Schicht %1, KV-Kopf %2: %3</translation>
    </message>
</context>
<context>
    <name>keepset::ui::Legend</name>
    <message>
        <source>%1 %2 · %3</source>
        <translation>%1 %2 · %3</translation>
    </message>
    <message>
        <source>evicted</source>
        <translation>verworfen</translation>
    </message>
    <message>
        <source>kept attention</source>
        <translation>behaltene Aufmerksamkeit</translation>
    </message>
</context>
<context>
    <name>keepset::ui::LogPanel</name>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copies all lines</source>
        <translation>Kopiert alle Zeilen</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Leeren</translation>
    </message>
    <message>
        <source>Removes all lines</source>
        <translation>Entfernt alle Zeilen</translation>
    </message>
    <message>
        <source>What is done stands here, with warnings and errors.</source>
        <translation>Hier steht, was getan wurde, mit Warnungen und Fehlern.</translation>
    </message>
</context>
<context>
    <name>keepset::ui::MainWindow</name>
    <message>
        <source>Setup</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>saved %1</source>
        <translation>%1 gespeichert</translation>
    </message>
    <message>
        <source>stopped %1</source>
        <translation>abgebrochen: %1</translation>
    </message>
    <message>
        <source>demo model</source>
        <translation>Demomodell</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>opened %1</source>
        <translation>%1 geöffnet</translation>
    </message>
    <message>
        <source>There is nothing to analyse yet.</source>
        <translation>Noch gibt es nichts zu analysieren.</translation>
    </message>
    <message>
        <source>Open a model folder and a text first.</source>
        <translation>Öffnen Sie zuerst einen Modellordner und einen Text.</translation>
    </message>
    <message>
        <source>%1 – Keepset</source>
        <translation>%1 – Keepset</translation>
    </message>
    <message>
        <source>analysed %1 tokens in %2</source>
        <translation>%1 Token in %2 analysiert</translation>
    </message>
    <message>
        <source>token %1 %2 · %3 · importance %4</source>
        <translation>Token %1 %2 · %3 · Wichtigkeit %4</translation>
    </message>
    <message>
        <source>What is analysed</source>
        <translation>Was analysiert wird</translation>
    </message>
    <message>
        <source>A model reads a text; every token receives attention from the tokens behind it. The demo is open already: your own model folder or text can be dropped anywhere on the window.</source>
        <translation>Ein Modell liest einen Text; jedes Token erhält Aufmerksamkeit von den Token dahinter. Die Demo ist schon offen: Ein eigener Modellordner oder Text lässt sich überall auf das Fenster ziehen.</translation>
    </message>
    <message>
        <source>How much is evicted</source>
        <translation>Wie viel verworfen wird</translation>
    </message>
    <message>
        <source>Move the slider: two policies choose at once which tokens stay in the cache. Colours and underlines say why each one stays; what is evicted is dimmed.</source>
        <translation>Bewegen Sie den Regler: Zwei Verfahren wählen sofort, welche Token im Cache bleiben. Farben und Unterstreichungen sagen, warum ein Token bleibt; was verworfen wird, ist grau.</translation>
    </message>
    <message>
        <source>Why this token</source>
        <translation>Warum dieses Token</translation>
    </message>
    <message>
        <source>Click a token: on the right stand its score, its rank, the cut-off, and in words why each policy keeps or evicts it.</source>
        <translation>Klicken Sie auf ein Token: Rechts stehen sein Wert, sein Rang, die Schwelle und in Worten, warum jedes Verfahren es behält oder verwirft.</translation>
    </message>
    <message>
        <source>Analyse</source>
        <translation>Analysieren</translation>
    </message>
    <message>
        <source>Computes the importance of every token</source>
        <translation>Berechnet die Wichtigkeit jedes Tokens</translation>
    </message>
    <message>
        <source>Sweep</source>
        <translation>Sweep</translation>
    </message>
    <message>
        <source>Measures perplexity over sparsity</source>
        <translation>Misst die Perplexität bei mehreren Anteilen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stops what is under way</source>
        <translation>Bricht ab, was gerade läuft</translation>
    </message>
    <message>
        <source>Analysis as HDF5 …</source>
        <translation>Analyse als HDF5 …</translation>
    </message>
    <message>
        <source>Saves importance and keep sets as a trace file</source>
        <translation>Speichert Wichtigkeit und Auswahl als Trace-Datei</translation>
    </message>
    <message>
        <source>Sweep as HDF5 …</source>
        <translation>Sweep als HDF5 …</translation>
    </message>
    <message>
        <source>Saves the sweep as a run file</source>
        <translation>Speichert den Sweep als Run-Datei</translation>
    </message>
    <message>
        <source>&amp;Models</source>
        <translation>&amp;Modelle</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Open model</source>
        <translation>Modell öffnen</translation>
    </message>
    <message>
        <source>Open text</source>
        <translation>Text öffnen</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Find token … Ctrl+F</source>
        <translation>Token suchen … Strg+F</translation>
    </message>
    <message>
        <source>Find token</source>
        <translation>Token suchen</translation>
    </message>
    <message>
        <source>What is shown</source>
        <translation>Was gezeigt wird</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Zuletzt</translation>
    </message>
    <message>
        <source>none yet</source>
        <translation>noch nichts</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>Open model &amp;folder …</source>
        <translation>Modell&amp;ordner öffnen …</translation>
    </message>
    <message>
        <source>Opens a model folder (Hugging Face layout)</source>
        <translation>Öffnet einen Modellordner (Aufbau von Hugging Face)</translation>
    </message>
    <message>
        <source>Open &amp;text …</source>
        <translation>&amp;Text öffnen …</translation>
    </message>
    <message>
        <source>Opens a UTF-8 text file</source>
        <translation>Öffnet eine Textdatei in UTF-8</translation>
    </message>
    <message>
        <source>&amp;Paste text</source>
        <translation>Text &amp;einfügen</translation>
    </message>
    <message>
        <source>Takes the text of the clipboard</source>
        <translation>Nimmt den Text der Zwischenablage</translation>
    </message>
    <message>
        <source>&amp;Demo model and text</source>
        <translation>&amp;Demomodell und Demotext</translation>
    </message>
    <message>
        <source>Opens what came with Keepset</source>
        <translation>Öffnet, was mit Keepset kam</translation>
    </message>
    <message>
        <source>Open trace, run or table …</source>
        <translation>Trace, Run oder Tabelle öffnen …</translation>
    </message>
    <message>
        <source>Opens .h5 and .csv files, without a model</source>
        <translation>Öffnet .h5- und .csv-Dateien, ohne Modell</translation>
    </message>
    <message>
        <source>&amp;Recent files</source>
        <translation>&amp;Zuletzt geöffnete Dateien</translation>
    </message>
    <message>
        <source>&amp;Export</source>
        <translation>E&amp;xportieren</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Closes Keepset</source>
        <translation>Schließt Keepset</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>&amp;Ausführen</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>A&amp;nsicht</translation>
    </message>
    <message>
        <source>&amp;Find token</source>
        <translation>Token &amp;suchen</translation>
    </message>
    <message>
        <source>Finds a token by its text</source>
        <translation>Findet ein Token nach seinem Text</translation>
    </message>
    <message>
        <source>Find &amp;next</source>
        <translation>&amp;Weitersuchen</translation>
    </message>
    <message>
        <source>Goes to the next match</source>
        <translation>Geht zum nächsten Treffer</translation>
    </message>
    <message>
        <source>Next &amp;page</source>
        <translation>Nächste &amp;Seite</translation>
    </message>
    <message>
        <source>Shows the next page</source>
        <translation>Zeigt die nächste Seite</translation>
    </message>
    <message>
        <source>Pre&amp;vious page</source>
        <translation>&amp;Vorige Seite</translation>
    </message>
    <message>
        <source>Shows the page before</source>
        <translation>Zeigt die vorige Seite</translation>
    </message>
    <message>
        <source>Shows the page %1</source>
        <translation>Zeigt die Seite %1</translation>
    </message>
    <message>
        <source>Shows or hides the Setup panel</source>
        <translation>Zeigt oder verbirgt die Einstellungen</translation>
    </message>
    <message>
        <source>Shows or hides the Token panel</source>
        <translation>Zeigt oder verbirgt das Feld Token</translation>
    </message>
    <message>
        <source>&amp;Appearance</source>
        <translation>&amp;Aussehen</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Manual</source>
        <translation>&amp;Handbuch</translation>
    </message>
    <message>
        <source>Opens the manual</source>
        <translation>Öffnet das Handbuch</translation>
    </message>
    <message>
        <source>Show the &amp;tour</source>
        <translation>&amp;Rundgang zeigen</translation>
    </message>
    <message>
        <source>Shows the three cards of the first start again</source>
        <translation>Zeigt die drei Karten des ersten Starts noch einmal</translation>
    </message>
    <message>
        <source>&amp;About Keepset</source>
        <translation>Ü&amp;ber Keepset</translation>
    </message>
    <message>
        <source>Version and licence</source>
        <translation>Version und Lizenz</translation>
    </message>
    <message>
        <source>As the &amp;desktop</source>
        <translation>Wie der &amp;Desktop</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>&amp;Hell</translation>
    </message>
    <message>
        <source>D&amp;ark</source>
        <translation>&amp;Dunkel</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Hugging Face cache</source>
        <translation>Cache von Hugging Face</translation>
    </message>
    <message>
        <source>No token matches “%1”.</source>
        <translation>Kein Token passt zu „%1“.</translation>
    </message>
    <message>
        <source># Keepset %1

Commit %2. What KV-cache eviction keeps, why, and at what cost.

Licence: Apache-2.0. Fonts: Noto Sans and Noto Serif, SIL Open Font License 1.1. Built with Qt %3 and Qt Charts, which is under GPL-3.0.</source>
        <translation># Keepset %1

Commit %2. Was das Verwerfen im KV-Cache behält, warum und zu welchem Preis.

Lizenz: Apache-2.0. Schriften: Noto Sans und Noto Serif, SIL Open Font License 1.1. Gebaut mit Qt %3 und Qt Charts, das unter GPL-3.0 steht.</translation>
    </message>
    <message>
        <source>The demo model is not beside this program.</source>
        <translation>Das Demomodell liegt nicht neben diesem Programm.</translation>
    </message>
    <message>
        <source>Open a model folder of your own.</source>
        <translation>Öffnen Sie einen eigenen Modellordner.</translation>
    </message>
    <message>
        <source>Open a model folder</source>
        <translation>Modellordner öffnen</translation>
    </message>
    <message>
        <source>Open a text</source>
        <translation>Text öffnen</translation>
    </message>
    <message>
        <source>Text (*.txt *.md);;All files (*)</source>
        <translation>Text (*.txt *.md);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open a trace, run or table</source>
        <translation>Trace, Run oder Tabelle öffnen</translation>
    </message>
    <message>
        <source>Keepset files and tables (*.h5 *.hdf5 *.csv);;All files (*)</source>
        <translation>Dateien von Keepset und Tabellen (*.h5 *.hdf5 *.csv);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>The clipboard holds no text.</source>
        <translation>Die Zwischenablage enthält keinen Text.</translation>
    </message>
    <message>
        <source>Copy the text to analyse, then paste it here.</source>
        <translation>Kopieren Sie den Text, der analysiert werden soll, und fügen Sie ihn hier ein.</translation>
    </message>
    <message>
        <source>Save the sweep</source>
        <translation>Sweep speichern</translation>
    </message>
    <message>
        <source>Save the analysis</source>
        <translation>Analyse speichern</translation>
    </message>
    <message>
        <source>HDF5 (*.h5)</source>
        <translation>HDF5 (*.h5)</translation>
    </message>
    <message>
        <source>%1 is not on this machine.</source>
        <translation>%1 liegt nicht auf diesem Rechner.</translation>
    </message>
    <message>
        <source>Download it and drop the file.</source>
        <translation>Laden Sie die Datei herunter und ziehen Sie sie hierher.</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Heatmap</source>
        <translation>Heatmap</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Aufmerksamkeit</translation>
    </message>
    <message>
        <source>Audit</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>exported to %1</source>
        <translation>exportiert nach %1</translation>
    </message>
    <message>
        <source>Leaving Keepset</source>
        <translation>Beenden von Keepset</translation>
    </message>
    <message>
        <source>Another device</source>
        <translation>Ein anderes Gerät</translation>
    </message>
    <message>
        <source>Opening a model</source>
        <translation>Öffnen eines Modells</translation>
    </message>
    <message>
        <source>Stops %1 (%2)</source>
        <translation>Hält an: %1 (%2)</translation>
    </message>
    <message>
        <source>match %1 of %2 for “%3”</source>
        <translation>Treffer %1 von %2 für „%3“</translation>
    </message>
    <message>
        <source>Show runs</source>
        <translation>Runs zeigen</translation>
    </message>
    <message>
        <source>This policy&apos;s scores are made while the text is read, and a file does not hold them.</source>
        <translation>Die Werte dieses Verfahrens entstehen beim Lesen des Textes; eine Datei enthält sie nicht.</translation>
    </message>
    <message>
        <source>Open the model and analyse the text here.</source>
        <translation>Öffnen Sie das Modell und analysieren Sie den Text hier.</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Köpfe</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>&amp;Copy picture</source>
        <translation>&amp;Bild kopieren</translation>
    </message>
    <message>
        <source>Shows or hides the log: what was done when, warnings and errors</source>
        <translation>Zeigt oder verbirgt das Protokoll: was wann getan wurde, Warnungen und Fehler</translation>
    </message>
    <message>
        <source>the text itself</source>
        <translation>der Text selbst</translation>
    </message>
    <message>
        <source>copied the picture “%1”</source>
        <translation>Bild „%1“ kopiert</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Audit, %1: %2</source>
        <translation>Prüfung, %1: %2</translation>
    </message>
</context>
<context>
    <name>keepset::ui::NoticeBar</name>
    <message>
        <source>Notice</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Später</translation>
    </message>
    <message>
        <source>Puts the answer off; nothing is lost by that</source>
        <translation>Verschiebt die Antwort; verloren geht dadurch nichts</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ParameterForm</name>
    <message>
        <source>the run&apos;s</source>
        <translation>vom Lauf</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Suchen…</translation>
    </message>
    <message>
        <source>Scores or keep sets</source>
        <translation>Werte oder Auswahlen</translation>
    </message>
    <message>
        <source>Scores or keep sets (*.h5 *.hdf5 *.safetensors *.npz);;All files (*)</source>
        <translation>Werte oder Auswahlen (*.h5 *.hdf5 *.safetensors *.npz);;Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>keepset::ui::PinPanel</name>
    <message>
        <source>Marks</source>
        <translation>Markierungen</translation>
    </message>
    <message>
        <source>Must stay</source>
        <translation>Muss bleiben</translation>
    </message>
    <message>
        <source>Must go</source>
        <translation>Muss weg</translation>
    </message>
    <message>
        <source>Every policy keeps these tokens first; they count in the budget</source>
        <translation>Jedes Verfahren behält diese Token zuerst; sie zählen zum Budget</translation>
    </message>
    <message>
        <source>No policy keeps these tokens while there are others</source>
        <translation>Kein Verfahren behält diese Token, solange es andere gibt</translation>
    </message>
    <message>
        <source>Marked</source>
        <translation>Markiert</translation>
    </message>
    <message>
        <source>What is marked</source>
        <translation>Was markiert ist</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Removes the mark that is chosen in the list (Del)</source>
        <translation>Entfernt die in der Liste gewählte Markierung (Entf)</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Takes the last step back</source>
        <translation>Nimmt den letzten Schritt zurück</translation>
    </message>
    <message>
        <source>Remove all</source>
        <translation>Alle entfernen</translation>
    </message>
    <message>
        <source>Removes every mark of this text</source>
        <translation>Entfernt alle Markierungen dieses Textes</translation>
    </message>
    <message>
        <source>%1 %2</source>
        <translation>%1 %2</translation>
    </message>
    <message>
        <source>%1 to %2 %3</source>
        <translation>%1 bis %2 %3</translation>
    </message>
    <message>
        <source>Choose tokens: click, drag, or hold Shift with the arrows.</source>
        <translation>Token wählen: klicken, ziehen oder Umschalt mit den Pfeiltasten halten.</translation>
    </message>
    <message>
        <source>All matches of the search: %1</source>
        <translation>Alle Treffer der Suche: %1</translation>
    </message>
    <message>
        <source>must stay · %1</source>
        <translation>muss bleiben · %1</translation>
    </message>
    <message>
        <source>must go · %1</source>
        <translation>muss weg · %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::PolicyChips</name>
    <message>
        <source>Adds a policy, also one more time with other parameters</source>
        <translation>Fügt ein Verfahren hinzu, auch ein weiteres Mal mit anderen Parametern</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Takes the last change of the policies back (Ctrl+Z)</source>
        <translation>Nimmt die letzte Änderung der Verfahren zurück (Strg+Z)</translation>
    </message>
    <message>
        <source>As text</source>
        <translation>Als Text</translation>
    </message>
    <message>
        <source>Shows the list as the command line writes it, to be typed or copied</source>
        <translation>Zeigt die Liste, wie die Befehlszeile sie schreibt, zum Tippen oder Kopieren</translation>
    </message>
    <message>
        <source>Policies as text</source>
        <translation>Verfahren als Text</translation>
    </message>
    <message>
        <source>Policies with parameters in parentheses, split by commas: h2o(local=0.5), cab(bridge_ratio=0.1)</source>
        <translation>Verfahren mit Parametern in Klammern, durch Kommas getrennt: h2o(local=0.5), cab(bridge_ratio=0.1)</translation>
    </message>
    <message>
        <source>Add a policy to be measured.</source>
        <translation>Fügen Sie ein Verfahren hinzu, das gemessen werden soll.</translation>
    </message>
    <message>
        <source>%1 is there twice: give one of the two other parameters.</source>
        <translation>%1 steht zweimal da: Geben Sie einem der beiden andere Parameter.</translation>
    </message>
    <message>
        <source>Always measured: everything is compared with it.</source>
        <translation>Wird immer gemessen: Alles wird damit verglichen.</translation>
    </message>
    <message>
        <source>A click shows its parameters, Delete removes it.</source>
        <translation>Ein Klick zeigt die Parameter, Entf entfernt es.</translation>
    </message>
    <message>
        <source>Removes %1</source>
        <translation>Entfernt %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::PolicyEditor</name>
    <message>
        <source>One more</source>
        <translation>Noch eins</translation>
    </message>
    <message>
        <source>Adds the same policy again, to be given other parameters</source>
        <translation>Fügt dasselbe Verfahren noch einmal hinzu, für andere Parameter</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Hides the parameters</source>
        <translation>Blendet die Parameter aus</translation>
    </message>
</context>
<context>
    <name>keepset::ui::PolicyList</name>
    <message>
        <source>Add a variant …</source>
        <translation>Variante hinzufügen …</translation>
    </message>
    <message>
        <source>Adds a policy once more, to give it other parameters and compare the two</source>
        <translation>Fügt ein Verfahren noch einmal hinzu, um es mit anderen Parametern zu vergleichen</translation>
    </message>
    <message>
        <source>%1
Two policies are compared; a third takes the place of the older.</source>
        <translation>%1
Zwei Verfahren werden verglichen; ein drittes tritt an die Stelle des älteren.</translation>
    </message>
    <message>
        <source>Parameters of %1</source>
        <translation>Parameter von %1</translation>
    </message>
    <message>
        <source>Removes this variant of %1</source>
        <translation>Entfernt diese Variante von %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::RangeControl</name>
    <message>
        <source>lock range</source>
        <translation>Bereich sperren</translation>
    </message>
    <message>
        <source>Lowest value of the locked range</source>
        <translation>Kleinster Wert des gesperrten Bereichs</translation>
    </message>
    <message>
        <source>Highest value of the locked range</source>
        <translation>Größter Wert des gesperrten Bereichs</translation>
    </message>
    <message>
        <source>Holds colours and heights of importance between two values, on every page and for every layer, mode, text and file. Otherwise they are fitted to what is shown.</source>
        <translation>Hält Farben und Höhen der Wichtigkeit zwischen zwei Werten fest, auf jeder Seite und für jede Schicht, Art, jeden Text und jede Datei. Sonst richten sie sich nach dem, was gezeigt ist.</translation>
    </message>
</context>
<context>
    <name>keepset::ui::RangeState</name>
    <message>
        <source>%1 scale</source>
        <translation>Skala: %1</translation>
    </message>
    <message>
        <source>%1 scale, locked to %2 … %3</source>
        <translation>Skala: %1, gesperrt auf %2 … %3</translation>
    </message>
    <message>
        <source>, %1 above it</source>
        <translation>, %1 darüber</translation>
    </message>
    <message>
        <source>, %1 below it</source>
        <translation>, %1 darunter</translation>
    </message>
    <message>
        <source>%1, locked</source>
        <translation>%1, gesperrt</translation>
    </message>
</context>
<context>
    <name>keepset::ui::RowState</name>
    <message>
        <source>whole model&apos;s mean</source>
        <translation>Mittel des ganzen Modells</translation>
    </message>
    <message>
        <source>layer %1&apos;s mean</source>
        <translation>Mittel der Schicht %1</translation>
    </message>
    <message>
        <source>layer %1, kv head %2</source>
        <translation>Schicht %1, KV-Kopf %2</translation>
    </message>
</context>
<context>
    <name>keepset::ui::RunList</name>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Pink</source>
        <translation>Rosa</translation>
    </message>
    <message>
        <source>Sky</source>
        <translation>Hellblau</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rot</translation>
    </message>
    <message>
        <source>cannot be read</source>
        <translation>nicht lesbar</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Runs</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Run</translation>
    </message>
    <message>
        <source>Begun</source>
        <translation>Begonnen</translation>
    </message>
    <message>
        <source>Windows</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Computes the windows that are missing, with the settings and in the file of this run</source>
        <translation>Berechnet die Fenster, die fehlen, mit den Einstellungen und in der Datei dieses Runs</translation>
    </message>
    <message>
        <source>Brings the deleted run back</source>
        <translation>Holt den gelöschten Run zurück</translation>
    </message>
    <message>
        <source>Pin, colour, rename, delete, copy the command, folders</source>
        <translation>Anheften, färben, umbenennen, löschen, Befehl kopieren, Ordner</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>Pin or unpin</source>
        <translation>Anheften oder lösen</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Befehl kopieren</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Keep runs in another folder …</source>
        <translation>Runs in einem anderen Ordner ablegen …</translation>
    </message>
    <message>
        <source>Undo deleting %1</source>
        <translation>Löschen von %1 rückgängig machen</translation>
    </message>
    <message>
        <source>Every sweep is kept here, in a file of its own.</source>
        <translation>Jeder Sweep liegt hier, in einer eigenen Datei.</translation>
    </message>
    <message>
        <source>1 sweep is unfinished: choose it and press Go on.</source>
        <translation>1 Sweep ist unvollständig: wählen Sie ihn und drücken Sie Fortsetzen.</translation>
    </message>
    <message>
        <source>%1 sweeps are unfinished: choose one and press Go on.</source>
        <translation>%1 Sweeps sind unvollständig: wählen Sie einen und drücken Sie Fortsetzen.</translation>
    </message>
    <message>
        <source>%1 over %2
%3
Tick the box to lay it over the run shown.</source>
        <translation>%1 über %2
%3
Das Häkchen legt ihn über den gezeigten Run.</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>Beste</translation>
    </message>
    <message>
        <source>The least perplexity at the highest sparsity</source>
        <translation>Die kleinste Perplexität bei der höchsten Sparsity</translation>
    </message>
</context>
<context>
    <name>keepset::ui::Session</name>
    <message>
        <source>looking at the model</source>
        <translation>Modell ansehen</translation>
    </message>
    <message>
        <source>opening the model</source>
        <translation>Modell öffnen</translation>
    </message>
    <message>
        <source>analysing</source>
        <translation>analysieren</translation>
    </message>
    <message>
        <source>sweeping</source>
        <translation>Sweep</translation>
    </message>
    <message>
        <source>selecting</source>
        <translation>auswählen</translation>
    </message>
    <message>
        <source>drawing attention</source>
        <translation>Aufmerksamkeit zeichnen</translation>
    </message>
    <message>
        <source>finding bridges</source>
        <translation>Brücken suchen</translation>
    </message>
    <message>
        <source>There is not enough memory for this.</source>
        <translation>Der Speicher reicht dafür nicht.</translation>
    </message>
    <message>
        <source>Take a shorter context or fewer points.</source>
        <translation>Nehmen Sie einen kürzeren Kontext oder weniger Punkte.</translation>
    </message>
    <message>
        <source>Something unexpected went wrong while %1: %2</source>
        <translation>Etwas Unerwartetes ging schief (%1): %2</translation>
    </message>
    <message>
        <source>Please report it with what you did.</source>
        <translation>Bitte melden Sie es und was Sie getan haben.</translation>
    </message>
    <message>
        <source>opening %1</source>
        <translation>%1 öffnen</translation>
    </message>
    <message>
        <source>estimating memory</source>
        <translation>Speicher schätzen</translation>
    </message>
    <message>
        <source>reading the text</source>
        <translation>Text lesen</translation>
    </message>
    <message>
        <source>counting tokens</source>
        <translation>Token zählen</translation>
    </message>
    <message>
        <source>following a run</source>
        <translation>einem Run folgen</translation>
    </message>
    <message>
        <source>looking for runs</source>
        <translation>Runs suchen</translation>
    </message>
    <message>
        <source>There is no analysis to save yet.</source>
        <translation>Es gibt noch keine Analyse zu speichern.</translation>
    </message>
    <message>
        <source>Press Analyse first.</source>
        <translation>Drücken Sie zuerst Analysieren.</translation>
    </message>
    <message>
        <source>saving</source>
        <translation>speichern</translation>
    </message>
    <message>
        <source>There is no sweep to save yet.</source>
        <translation>Es gibt noch keinen Sweep zu speichern.</translation>
    </message>
    <message>
        <source>Press Sweep first.</source>
        <translation>Drücken Sie zuerst Sweep.</translation>
    </message>
    <message>
        <source>looking for devices</source>
        <translation>Geräte suchen</translation>
    </message>
    <message>
        <source>looking for who reads a token</source>
        <translation>sucht, wer ein Token liest</translation>
    </message>
    <message>
        <source>looking at the heads</source>
        <translation>Köpfe ansehen</translation>
    </message>
    <message>
        <source>comparing keep sets</source>
        <translation>Auswahlen vergleichen</translation>
    </message>
    <message>
        <source>looking at the memory</source>
        <translation>Ansehen des Speichers</translation>
    </message>
    <message>
        <source>summing up the last queries</source>
        <translation>letzte Queries summieren</translation>
    </message>
</context>
<context>
    <name>keepset::ui::SetupPanel</name>
    <message>
        <source>Next analysis</source>
        <translation>Nächste Analyse</translation>
    </message>
    <message>
        <source>What Analyse takes. Nothing here changes what is shown.</source>
        <translation>Was Analysieren nimmt. Nichts hier ändert, was gezeigt wird.</translation>
    </message>
    <message>
        <source>Shown</source>
        <translation>Gezeigt</translation>
    </message>
    <message>
        <source>How the result that is shown is looked at. Acts at once.</source>
        <translation>Wie das gezeigte Ergebnis betrachtet wird. Wirkt sofort.</translation>
    </message>
    <message>
        <source>Policies</source>
        <translation>Verfahren</translation>
    </message>
    <message>
        <source>Audit</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>How many tokens of the text are analysed. Takes effect with Analyse.</source>
        <translation>Wie viele Token des Textes analysiert werden. Wirkt mit Analysieren.</translation>
    </message>
    <message>
        <source>from </source>
        <translation>ab </translation>
    </message>
    <message>
        <source>Tokens skipped</source>
        <translation>Übersprungene Token</translation>
    </message>
    <message>
        <source>Tokens of the text skipped. Takes effect with Analyse.</source>
        <translation>Token des Textes, die übersprungen werden. Wirkt mit Analysieren.</translation>
    </message>
    <message>
        <source>Context and passage</source>
        <translation>Kontext und Abschnitt</translation>
    </message>
    <message>
        <source>Query heads of a kv head</source>
        <translation>Query-Köpfe eines KV-Kopfs</translation>
    </message>
    <message>
        <source>How the query heads that share a kv head are joined</source>
        <translation>Wie die Query-Köpfe zusammengefasst werden, die einen KV-Kopf teilen</translation>
    </message>
    <message>
        <source>Importance, joined over query heads</source>
        <translation>Wichtigkeit, über Query-Köpfe</translation>
    </message>
    <message>
        <source>Keep set shared by</source>
        <translation>Gemeinsame Auswahl je</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>What Tokens looks at: one layer, or the mean of all</source>
        <translation>Was die Seite Token zeigt: eine Schicht oder das Mittel aller</translation>
    </message>
    <message>
        <source>Key/value head</source>
        <translation>KV-Kopf</translation>
    </message>
    <message>
        <source>One key/value head of the layer, or the mean of all</source>
        <translation>Ein KV-Kopf der Schicht oder das Mittel aller</translation>
    </message>
    <message>
        <source>all layers</source>
        <translation>alle Schichten</translation>
    </message>
    <message>
        <source>all heads</source>
        <translation>alle Köpfe</translation>
    </message>
    <message>
        <source>Layer and head</source>
        <translation>Schicht und Kopf</translation>
    </message>
    <message>
        <source>Sparsity</source>
        <translation>Anteil verworfen</translation>
    </message>
    <message>
        <source>Share of the context that is evicted</source>
        <translation>Anteil des Kontexts, der verworfen wird</translation>
    </message>
    <message>
        <source>whole text</source>
        <translation>ganzer Text</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>no model open</source>
        <translation>kein Modell offen</translation>
    </message>
    <message>
        <source>%1 layers · %2 heads · %3 kv</source>
        <translation>%1 Schichten · %2 Köpfe · %3 KV</translation>
    </message>
    <message>
        <source>%1 · %2 · %3 parameters</source>
        <translation>%1 · %2 · %3 Parameter</translation>
    </message>
    <message>
        <source>%1 tokens: %2 more</source>
        <translation>%1 Token: %2 mehr</translation>
    </message>
    <message>
        <source>%1 tokens: %2</source>
        <translation>%1 Token: %2</translation>
    </message>
    <message>
        <source>free memory unknown</source>
        <translation>freier Speicher unbekannt</translation>
    </message>
    <message>
        <source>%1 free</source>
        <translation>%1 frei</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>✗ %1 · only %2</source>
        <translation>✗ %1 · nur %2</translation>
    </message>
    <message>
        <source>no text open</source>
        <translation>kein Text offen</translation>
    </message>
    <message>
        <source>no result yet</source>
        <translation>noch kein Ergebnis</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>kv head %1</source>
        <translation>KV-Kopf %1</translation>
    </message>
    <message>
        <source>%1 of %2 kept</source>
        <translation>%1 von %2 behalten</translation>
    </message>
    <message>
        <source>Who shares one keep set in the map of the chosen token; a sweep has its own choice on the Sweep page</source>
        <translation>Wer in der Karte des gewählten Tokens eine Auswahl teilt; ein Sweep hat seine eigene Wahl auf der Seite Sweep</translation>
    </message>
    <message>
        <source>sliding layers keep all</source>
        <translation>gleitende Schichten behalten alles</translation>
    </message>
    <message>
        <source>sliding layers evict too</source>
        <translation>gleitende Schichten verwerfen auch</translation>
    </message>
    <message>
        <source>Layers with a sliding window</source>
        <translation>Schichten mit gleitendem Fenster</translation>
    </message>
    <message>
        <source>Layers whose own window is shorter than the context: they keep what they have, or are treated like the others</source>
        <translation>Schichten, deren eigenes Fenster kürzer als der Kontext ist: Sie behalten, was sie haben, oder werden wie die anderen behandelt</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ShownLine</name>
    <message>
        <source>nothing is shown yet</source>
        <translation>noch wird nichts gezeigt</translation>
    </message>
    <message>
        <source>What is shown</source>
        <translation>Was gezeigt wird</translation>
    </message>
</context>
<context>
    <name>keepset::ui::ShownState</name>
    <message>
        <source>in %1</source>
        <translation>in %1</translation>
    </message>
    <message>
        <source>weights %1 …</source>
        <translation>Gewichte %1 …</translation>
    </message>
</context>
<context>
    <name>keepset::ui::StatusBar</name>
    <message>
        <source>no device yet</source>
        <translation>noch kein Gerät</translation>
    </message>
    <message>
        <source>%1: %2 of %3 free</source>
        <translation>%1: %2 von %3 frei</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>Memory of %1: %2 used, %3 free, %4 in all</source>
        <translation>Speicher von %1: %2 belegt, %3 frei, %4 insgesamt</translation>
    </message>
    <message>
        <source>this machine</source>
        <translation>diesem Rechner</translation>
    </message>
</context>
<context>
    <name>keepset::ui::SweepController</name>
    <message>
        <source>Open a model and a text first.</source>
        <translation>Öffnen Sie zuerst ein Modell und einen Text.</translation>
    </message>
    <message>
        <source>pausing behind the window under way</source>
        <translation>hält nach dem laufenden Fenster an</translation>
    </message>
    <message>
        <source>copied the command</source>
        <translation>Befehl kopiert</translation>
    </message>
    <message>
        <source>The text has room for %1 windows of %2 + %3 tokens.</source>
        <translation>Der Text hat Platz für %1 Fenster von %2 + %3 Token.</translation>
    </message>
    <message>
        <source>%1 of %2 windows done</source>
        <translation>%1 von %2 Fenstern fertig</translation>
    </message>
    <message>
        <source>the sweep stands at %1 of %2 windows; Go on continues</source>
        <translation>der Sweep steht bei %1 von %2 Fenstern; Fortsetzen macht weiter</translation>
    </message>
    <message>
        <source>A sweep is under way</source>
        <translation>Ein Sweep läuft</translation>
    </message>
    <message>
        <source>%1 stops the sweep that is under way. Every window that is done stays in its file, and it can go on later.</source>
        <translation>%1 beendet den laufenden Sweep. Jedes fertige Fenster bleibt in seiner Datei, und er kann später weitergehen.</translation>
    </message>
    <message>
        <source>Stop the sweep</source>
        <translation>Sweep anhalten</translation>
    </message>
    <message>
        <source>Keep sweeping</source>
        <translation>Weiterlaufen lassen</translation>
    </message>
    <message>
        <source>This sweep is of the model %1 and the text %2, which are not open.</source>
        <translation>Dieser Sweep ist vom Modell %1 und vom Text %2, die nicht offen sind.</translation>
    </message>
    <message>
        <source>Open both and press Go on again.</source>
        <translation>Öffnen Sie beide und drücken Sie noch einmal Fortsetzen.</translation>
    </message>
    <message>
        <source>Runs to lay over the chart</source>
        <translation>Runs, die darübergelegt werden</translation>
    </message>
    <message>
        <source>Runs (*.h5)</source>
        <translation>Runs (*.h5)</translation>
    </message>
    <message>
        <source>Keep runs in</source>
        <translation>Runs ablegen in</translation>
    </message>
    <message>
        <source>%1 cannot be laid over the run shown.</source>
        <translation>%1 lässt sich nicht über den gezeigten Run legen.</translation>
    </message>
    <message>
        <source>%1 cannot be renamed to “%2”.</source>
        <translation>%1 lässt sich nicht in „%2“ umbenennen.</translation>
    </message>
    <message>
        <source>Choose a name that no file of the folder has, without a slash.</source>
        <translation>Wählen Sie einen Namen ohne Schrägstrich, den keine Datei des Ordners hat.</translation>
    </message>
    <message>
        <source>%1 cannot be renamed.</source>
        <translation>%1 lässt sich nicht umbenennen.</translation>
    </message>
    <message>
        <source>Is its folder writable?</source>
        <translation>Ist der Ordner beschreibbar?</translation>
    </message>
    <message>
        <source>%1 is being written.</source>
        <translation>%1 wird gerade geschrieben.</translation>
    </message>
    <message>
        <source>Stop its sweep before it is deleted.</source>
        <translation>Halten Sie den Sweep an, bevor er gelöscht wird.</translation>
    </message>
    <message>
        <source>%1 cannot be moved to the wastebasket.</source>
        <translation>%1 lässt sich nicht in den Papierkorb legen.</translation>
    </message>
    <message>
        <source>Delete it by hand.</source>
        <translation>Löschen Sie die Datei von Hand.</translation>
    </message>
    <message>
        <source>%1 cannot be brought back.</source>
        <translation>%1 lässt sich nicht zurückholen.</translation>
    </message>
    <message>
        <source>It lies in the wastebasket: %1</source>
        <translation>Die Datei liegt im Papierkorb: %1</translation>
    </message>
    <message>
        <source>copied the command of %1</source>
        <translation>Befehl von %1 kopiert</translation>
    </message>
    <message>
        <source>torchrun could not be started: %1</source>
        <translation>torchrun ließ sich nicht starten: %1</translation>
    </message>
    <message>
        <source>1 sweep is unfinished and can go on.</source>
        <translation>1 Sweep ist unvollständig und kann weitergehen.</translation>
    </message>
    <message>
        <source>%1 sweeps are unfinished and can go on.</source>
        <translation>%1 Sweeps sind unvollständig und können weitergehen.</translation>
    </message>
    <message>
        <source>What is marked in the text counts under every policy: spans %1.</source>
        <translation>Was im Text markiert ist, gilt für jedes Verfahren: %1 Stellen.</translation>
    </message>
</context>
<context>
    <name>keepset::ui::SweepForm</name>
    <message>
        <source>Start sweep</source>
        <translation>Sweep starten</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Shares evicted: a list 0, 0.5, 0.9 or first:last:step 0:0.9:0.1</source>
        <translation>Verworfene Anteile: eine Liste 0, 0.5, 0.9 oder erster:letzter:Schritt 0:0.9:0.1</translation>
    </message>
    <message>
        <source>Sparsities</source>
        <translation>Anteile</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Keep set per</source>
        <translation>Auswahl je</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>Ziel</translation>
    </message>
    <message>
        <source>Windows</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>token-drop feeds the model one shorter text, so there is one keep set: choose model.</source>
        <translation>token-drop gibt dem Modell einen kürzeren Text, also gibt es eine Auswahl: wählen Sie model.</translation>
    </message>
    <message>
        <source>Starts a new sweep, in a file of its own</source>
        <translation>Startet einen neuen Sweep, in einer eigenen Datei</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Ends behind the window under way; Go on continues</source>
        <translation>Endet nach dem laufenden Fenster; Fortsetzen macht weiter</translation>
    </message>
    <message>
        <source>Ends at once; every window that is done stays in the file</source>
        <translation>Endet sofort; jedes fertige Fenster bleibt in der Datei</translation>
    </message>
    <message>
        <source>Computes the windows that the run shown does not have yet</source>
        <translation>Berechnet die Fenster, die der gezeigte Run noch nicht hat</translation>
    </message>
    <message>
        <source>Copy as command</source>
        <translation>Als Befehl kopieren</translation>
    </message>
    <message>
        <source>Copies the keepset-cli command that does the same</source>
        <translation>Kopiert den Befehl von keepset-cli, der dasselbe tut</translation>
    </message>
    <message>
        <source>Shares the windows among all GPUs, by torchrun and keepset-cli</source>
        <translation>Teilt die Fenster unter allen GPUs auf, mit torchrun und keepset-cli</translation>
    </message>
    <message>
        <source>Run on %1 GPUs</source>
        <translation>Auf %1 GPUs ausführen</translation>
    </message>
</context>
<context>
    <name>keepset::ui::SweepPage</name>
    <message>
        <source>Perplexity against sparsity</source>
        <translation>Perplexität über dem verworfenen Anteil</translation>
    </message>
    <message>
        <source>log axis</source>
        <translation>logarithmische Achse</translation>
    </message>
    <message>
        <source>linear axis</source>
        <translation>lineare Achse</translation>
    </message>
    <message>
        <source>Axis</source>
        <translation>Achse</translation>
    </message>
    <message>
        <source>Lay over …</source>
        <translation>Darüberlegen …</translation>
    </message>
    <message>
        <source>Lays earlier runs over this one, dashed</source>
        <translation>Legt frühere Runs gestrichelt darüber</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Removes the earlier runs from the chart</source>
        <translation>Entfernt die früheren Runs aus dem Diagramm</translation>
    </message>
    <message>
        <source>Exports the perplexity chart as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert das Diagramm der Perplexität als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>Difference to</source>
        <translation>Unterschied zu</translation>
    </message>
    <message>
        <source>Exports the difference chart as PNG, SVG, PDF or CSV</source>
        <translation>Exportiert das Diagramm der Unterschiede als PNG, SVG, PDF oder CSV</translation>
    </message>
    <message>
        <source>95% interval on hover</source>
        <translation>95-%-Intervall beim Zeigen</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copies the table, to be pasted into a sheet</source>
        <translation>Kopiert die Tabelle, um sie in ein Blatt einzufügen</translation>
    </message>
    <message>
        <source>The first window is being computed …</source>
        <translation>Das erste Fenster wird berechnet …</translation>
    </message>
    <message>
        <source>Start a sweep to see what eviction costs.
The chart grows window by window.</source>
        <translation>Starten Sie einen Sweep, um zu sehen, was das Verwerfen kostet.
Das Diagramm wächst Fenster um Fenster.</translation>
    </message>
    <message>
        <source>✕ ended by an error</source>
        <translation>✕ durch einen Fehler beendet</translation>
    </message>
    <message>
        <source>● starting</source>
        <translation>● beginnt</translation>
    </message>
    <message>
        <source>✕ audit fails</source>
        <translation>✕ Prüfung nicht bestanden</translation>
    </message>
    <message>
        <source>✓ done</source>
        <translation>✓ fertig</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Runs</translation>
    </message>
    <message>
        <source>Shows what runs there are instead of the table</source>
        <translation>Zeigt die vorhandenen Runs anstelle der Tabelle</translation>
    </message>
    <message>
        <source>%1 of %2 windows</source>
        <translation>%1 von %2 Fenstern</translation>
    </message>
    <message>
        <source>● running, %1</source>
        <translation>● läuft, %1</translation>
    </message>
    <message>
        <source>● following, window %1 of %2</source>
        <translation>● folgt, Fenster %1 von %2</translation>
    </message>
    <message>
        <source>stopped, %1</source>
        <translation>angehalten, %1</translation>
    </message>
    <message>
        <source>All bands</source>
        <translation>Alle Bänder</translation>
    </message>
    <message>
        <source>Draws the 95% band of every method; else that of the one that is pointed at or shown alone</source>
        <translation>Zeichnet das 95%-Band jedes Verfahrens; sonst nur das des Verfahrens unter dem Zeiger oder des einzigen gezeigten</translation>
    </message>
    <message>
        <source>Method that the others are compared with, or that is looked at by distance</source>
        <translation>Verfahren, mit dem die anderen verglichen werden oder das nach Abstand betrachtet wird</translation>
    </message>
    <message>
        <source>By distance</source>
        <translation>Nach Abstand</translation>
    </message>
    <message>
        <source>Shows what the method loses to dense near, in the middle and far behind the context</source>
        <translation>Zeigt, was das Verfahren gegenüber dense nah, in der Mitte und weit hinter dem Kontext verliert</translation>
    </message>
    <message>
        <source>Loss by distance</source>
        <translation>Verlust nach Abstand</translation>
    </message>
</context>
<context>
    <name>keepset::ui::SweepTable</name>
    <message>
        <source>method</source>
        <translation>Verfahren</translation>
    </message>
    <message>
        <source> to </source>
        <translation> bis </translation>
    </message>
    <message>
        <source>%1 at %2: %3
95% interval %4 over %5 windows</source>
        <translation>%1 bei %2: %3
95-%-Intervall %4 über %5 Fenster</translation>
    </message>
    <message>
        <source>%1 by method and sparsity</source>
        <translation>%1 nach Verfahren und Anteil</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TextLinesModel</name>
    <message>
        <source>%1 %2</source>
        <translation>%1 %2</translation>
    </message>
    <message>
        <source>%1 kept</source>
        <translation>%1 behalten</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>tokens %1 to %2</source>
        <translation>Token %1 bis %2</translation>
    </message>
    <message>
        <source>%1 marked to stay</source>
        <translation>%1 sollen bleiben</translation>
    </message>
    <message>
        <source>%1 marked to go</source>
        <translation>%1 sollen weg</translation>
    </message>
    <message>
        <source>Share of the line&apos;s tokens that the policy keeps</source>
        <translation>Anteil der Token der Zeile, den das Verfahren behält</translation>
    </message>
    <message>
        <source>Mean score of the line&apos;s tokens</source>
        <translation>Mittlerer Wert der Token der Zeile</translation>
    </message>
    <message>
        <source>token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>line</source>
        <translation>Zeile</translation>
    </message>
    <message>
        <source>score</source>
        <translation>Wert</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TokenCard</name>
    <message>
        <source>position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>token id</source>
        <translation>Token-ID</translation>
    </message>
    <message>
        <source>importance</source>
        <translation>Wichtigkeit</translation>
    </message>
    <message>
        <source>rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>Token</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TokenInspector</name>
    <message>
        <source>Token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Click a token in the text to see why each policy keeps or evicts it.</source>
        <translation>Klicken Sie auf ein Token im Text, um zu sehen, warum jedes Verfahren es behält oder verwirft.</translation>
    </message>
    <message>
        <source>position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>token id</source>
        <translation>Token-ID</translation>
    </message>
    <message>
        <source>importance</source>
        <translation>Wichtigkeit</translation>
    </message>
    <message>
        <source>rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>cut-off</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Kept in</source>
        <translation>Behalten in</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>cut-off (%1)</source>
        <translation>Schwelle (%1)</translation>
    </message>
    <message>
        <source>%1 label in each layer × kv head</source>
        <translation>Rolle unter %1 je Schicht × KV-Kopf</translation>
    </message>
    <message>
        <source>Keep set shared by: %1</source>
        <translation>Gemeinsame Auswahl je: %1</translation>
    </message>
    <message>
        <source>%1 of %2 layer × head rows</source>
        <translation>%1 von %2 Zeilen (Schicht × Kopf)</translation>
    </message>
    <message>
        <source>Read by</source>
        <translation>Gelesen von</translation>
    </message>
    <message>
        <source>The tokens whose queries attend to this one the most, and how much of their attention it gets: the mean over the layers and heads looked at.</source>
        <translation>Die Token, deren Queries dieses am meisten beachten, und wie viel ihrer Attention es bekommt: im Mittel über die betrachteten Schichten und Köpfe.</translation>
    </message>
    <message>
        <source>looking …</source>
        <translation>sucht …</translation>
    </message>
    <message>
        <source>A trace file has no queries and keys to tell it from.</source>
        <translation>Eine Trace-Datei enthält keine Queries und Keys, aus denen es hervorginge.</translation>
    </message>
    <message>
        <source>%1 of the %2 that it gets from %3 tokens, %4</source>
        <translation>%1 der %2, die es von %3 Token bekommt, %4</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TokenStateWords</name>
    <message>
        <source>evicted</source>
        <translation>verworfen</translation>
    </message>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>local</source>
        <translation>lokal</translation>
    </message>
    <message>
        <source>important</source>
        <translation>wichtig</translation>
    </message>
    <message>
        <source>bridge</source>
        <translation>Brücke</translation>
    </message>
    <message>
        <source>sink</source>
        <translation>Senke</translation>
    </message>
    <message>
        <source>evicted by both</source>
        <translation>von beiden verworfen</translation>
    </message>
    <message>
        <source>kept by both</source>
        <translation>von beiden behalten</translation>
    </message>
    <message>
        <source>only %1</source>
        <translation>nur %1</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>festgehalten</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TokenTextView</name>
    <message>
        <source>token %1 %2: %3</source>
        <translation>Token %1 %2: %3</translation>
    </message>
</context>
<context>
    <name>keepset::ui::TokensPage</name>
    <message>
        <source>Open a model and a text, then press Analyse.
Both can also be dropped here.</source>
        <translation>Öffnen Sie ein Modell und einen Text und drücken Sie Analysieren.
Beides lässt sich auch hierher ziehen.</translation>
    </message>
    <message>
        <source>One moment: %1 …</source>
        <translation>Einen Moment: %1 …</translation>
    </message>
    <message>
        <source>Text, first policy</source>
        <translation>Text, erstes Verfahren</translation>
    </message>
    <message>
        <source>Text, second policy</source>
        <translation>Text, zweites Verfahren</translation>
    </message>
    <message>
        <source>Importance over position</source>
        <translation>Wichtigkeit über der Position</translation>
    </message>
    <message>
        <source>%1 · finding bridges …</source>
        <translation>%1 · Brücken werden gesucht …</translation>
    </message>
    <message>
        <source>Text, which policy keeps what</source>
        <translation>Text, welche Policy was behält</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>Shows which tokens only one of the two keeps</source>
        <translation>Zeigt, welche Token nur eine der beiden behält</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Shows what each of the two keeps</source>
        <translation>Zeigt, was jede der beiden behält</translation>
    </message>
    <message>
        <source>%1 and %2 · Jaccard %3 · %4</source>
        <translation>%1 und %2 · Jaccard %3 · %4</translation>
    </message>
    <message>
        <source>Lines</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Shows a row for every line of the text, with its mean score and what is kept of it</source>
        <translation>Zeigt jede Zeile des Textes mit ihrem mittleren Wert und dem, was von ihr behalten wird</translation>
    </message>
    <message>
        <source>Lines of the text</source>
        <translation>Zeilen des Textes</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Shows every token</source>
        <translation>Zeigt jedes Token</translation>
    </message>
    <message>
        <source>%1 lines, long ones by sentence · %2</source>
        <translation>%1 Zeilen, lange nach Sätzen · %2</translation>
    </message>
    <message>
        <source>Marks</source>
        <translation>Markierungen</translation>
    </message>
    <message>
        <source>Marks what is chosen as what must stay or must go</source>
        <translation>Markiert das Gewählte als das, was bleiben oder weg muss</translation>
    </message>
    <message>
        <source>Must stay</source>
        <translation>Muss bleiben</translation>
    </message>
    <message>
        <source>Must go</source>
        <translation>Muss weg</translation>
    </message>
    <message>
        <source>Undo the last mark</source>
        <translation>Letzte Markierung rückgängig</translation>
    </message>
    <message>
        <source>All marks …</source>
        <translation>Alle Markierungen …</translation>
    </message>
    <message>
        <source>Marks · %1</source>
        <translation>Markierungen · %1</translation>
    </message>
    <message>
        <source>Jaccard in each layer × kv head</source>
        <translation>Jaccard je Schicht × KV-Kopf</translation>
    </message>
    <message>
        <source>log</source>
        <translation>log</translation>
    </message>
    <message>
        <source>Jaccard of the two keep sets %1 · %2 · %3 · bars: share kept</source>
        <translation>Jaccard der beiden Auswahlen %1 · %2 · %3 · Balken: behaltener Anteil</translation>
    </message>
    <message>
        <source>%1 · %2 · bars: share kept</source>
        <translation>%1 · %2 · Balken: behaltener Anteil</translation>
    </message>
    <message>
        <source>One moment …</source>
        <translation>Einen Moment …</translation>
    </message>
    <message>
        <source>%1 to %2; the fuller a box, the less alike. Keep set shared by: %3.</source>
        <translation>%1 bis %2; je voller ein Kästchen, desto weniger gleich. Gemeinsame Auswahl: %3.</translation>
    </message>
    <message>
        <source>Importance over position, %1</source>
        <translation>Wichtigkeit über der Position, %1</translation>
    </message>
</context>
<context>
    <name>keepset::ui::Tour</name>
    <message>
        <source>Don&apos;t show again</source>
        <translation>Nicht mehr zeigen</translation>
    </message>
    <message>
        <source>%1 of %2 · %3</source>
        <translation>%1 von %2 · %3</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Weiter</translation>
    </message>
</context>
<context>
    <name>keepset::ui::charts</name>
    <message>
        <source>%1 against %2.</source>
        <translation>%1 gegen %2.</translation>
    </message>
    <message>
        <source>%1 at %2</source>
        <translation>%1 bei %2</translation>
    </message>
    <message>
        <source>%1 fails: %2</source>
        <translation>%1 nicht bestanden: %2</translation>
    </message>
    <message>
        <source>Do not trust this chart. The audit&apos;s check %1</source>
        <translation>Trauen Sie diesem Diagramm nicht. Prüfung %1</translation>
    </message>
    <message>
        <source>%1 against sparsity</source>
        <translation>%1 über dem verworfenen Anteil</translation>
    </message>
    <message>
        <source>Sparsity (share of the context evicted)</source>
        <translation>Verworfener Anteil des Kontexts</translation>
    </message>
    <message>
        <source>%1 (log)</source>
        <translation>%1 (log)</translation>
    </message>
    <message>
        <source>No window is done yet.</source>
        <translation>Noch ist kein Fenster fertig.</translation>
    </message>
    <message>
        <source>a band needs 5 windows</source>
        <translation>ein Band braucht 5 Fenster</translation>
    </message>
    <message>
        <source>band: 95% of the difference to dense, paired by window</source>
        <translation>Band: 95 % des Unterschieds zu dense, je Fenster gepaart</translation>
    </message>
    <message>
        <source>dense %1</source>
        <translation>dense %1</translation>
    </message>
    <message>
        <source>Difference to %1</source>
        <translation>Unterschied zu %1</translation>
    </message>
    <message>
        <source>an interval needs 5 windows</source>
        <translation>ein Intervall braucht 5 Fenster</translation>
    </message>
    <message>
        <source>95%, paired by window; above 0 is worse</source>
        <translation>95 %, je Fenster gepaart; über 0 ist schlechter</translation>
    </message>
    <message>
        <source>Sparsity</source>
        <translation>Anteil verworfen</translation>
    </message>
    <message>
        <source>ΔNLL (nats)</source>
        <translation>ΔNLL (Nats)</translation>
    </message>
    <message>
        <source>The audit fails: do not trust this chart.</source>
        <translation>Die Prüfung ist nicht bestanden: Trauen Sie diesem Diagramm nicht.</translation>
    </message>
    <message>
        <source>No other method to compare with.</source>
        <translation>Kein anderes Verfahren zum Vergleich.</translation>
    </message>
    <message>
        <source>Nothing is decided at %1: %2.</source>
        <translation>Bei %1 ist nichts entschieden: %2.</translation>
    </message>
    <message>
        <source>lower is better</source>
        <translation>niedriger ist besser</translation>
    </message>
    <message>
        <source>higher is better</source>
        <translation>höher ist besser</translation>
    </message>
    <message>
        <source>band: 95% over windows</source>
        <translation>Band: 95% über die Fenster</translation>
    </message>
    <message>
        <source>dense, perplexity %1</source>
        <translation>dense, Perplexität %1</translation>
    </message>
    <message>
        <source>%1 at %2: %3.</source>
        <translation>%1 bei %2: %3.</translation>
    </message>
    <message>
        <source>Perplexity against sparsity</source>
        <translation>Perplexität über dem verworfenen Anteil</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>The table has no method but dense.</source>
        <translation>Die Tabelle hat außer dense kein Verfahren.</translation>
    </message>
    <message>
        <source>entropy (share of ln %1)</source>
        <translation>Entropie (Anteil von ln %1)</translation>
    </message>
    <message>
        <source>mean distance (tokens)</source>
        <translation>mittlere Entfernung (Token)</translation>
    </message>
    <message>
        <source> (share of attention)</source>
        <translation> (Anteil der Aufmerksamkeit)</translation>
    </message>
    <message>
        <source>sink mass</source>
        <translation>Senkenmasse</translation>
    </message>
    <message>
        <source>entropy</source>
        <translation>Entropie</translation>
    </message>
    <message>
        <source>mean distance</source>
        <translation>mittlere Entfernung</translation>
    </message>
    <message>
        <source>kept share, %1</source>
        <translation>behaltener Anteil, %1</translation>
    </message>
    <message>
        <source>no policy</source>
        <translation>kein Verfahren</translation>
    </message>
    <message>
        <source>layer %1, head %2</source>
        <translation>Schicht %1, Kopf %2</translation>
    </message>
    <message>
        <source>kv head %1</source>
        <translation>KV-Kopf %1</translation>
    </message>
    <message>
        <source>%1 nats, %2</source>
        <translation>%1 nats, %2</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Köpfe</translation>
    </message>
    <message>
        <source>Heads, %1 against %2</source>
        <translation>Köpfe, %1 gegen %2</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>%1 query heads · colour: from layer 0 (dark) to layer %2 (bright)</source>
        <translation>%1 Query-Köpfe · Farbe: von Schicht 0 (dunkel) bis Schicht %2 (hell)</translation>
    </message>
    <message>
        <source>%1 query heads</source>
        <translation>%1 Query-Köpfe</translation>
    </message>
    <message>
        <source> · %1 without such a number</source>
        <translation> · %1 ohne eine solche Zahl</translation>
    </message>
    <message>
        <source>No head has both numbers yet.</source>
        <translation>Noch kein Kopf hat beide Zahlen.</translation>
    </message>
    <message>
        <source>targets 1–32</source>
        <translation>Ziele 1–32</translation>
    </message>
    <message>
        <source>33–128</source>
        <translation>33–128</translation>
    </message>
    <message>
        <source>from 129 on</source>
        <translation>ab 129</translation>
    </message>
    <message>
        <source>%1 by distance behind the context</source>
        <translation>%1 nach Abstand hinter dem Kontext</translation>
    </message>
    <message>
        <source>Dense loses nothing to itself: choose another method.</source>
        <translation>Dense verliert nichts gegenüber sich selbst: bitte ein anderes Verfahren wählen.</translation>
    </message>
    <message>
        <source>This run does not hold losses by distance.</source>
        <translation>Dieser Sweep enthält keine Verluste nach Abstand.</translation>
    </message>
    <message>
        <source> · %1 of %2 layers so far</source>
        <translation> · bisher %1 von %2 Schichten</translation>
    </message>
</context>
<context>
    <name>keepset::ui::charts::ChartView</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Shows the view before (Backspace)</source>
        <translation>Zeigt den vorigen Ausschnitt (Rücktaste)</translation>
    </message>
    <message>
        <source>Whole</source>
        <translation>Ganz</translation>
    </message>
    <message>
        <source>Shows everything (Esc)</source>
        <translation>Zeigt alles (Esc)</translation>
    </message>
</context>
<context>
    <name>keepset::ui::charts::MethodLegend</name>
    <message>
        <source>%1: a click hides it, a double click shows it alone</source>
        <translation>%1: ein Klick blendet es aus, ein Doppelklick zeigt es allein</translation>
    </message>
</context>
<context>
    <name>keepset::ui::charts::MetricBox</name>
    <message>
        <source>Quantity</source>
        <translation>Größe</translation>
    </message>
</context>
<context>
    <name>keepset::ui::charts::SweepCharts</name>
    <message>
        <source>Perplexity against sparsity</source>
        <translation>Perplexität über dem verworfenen Anteil</translation>
    </message>
    <message>
        <source>Difference between methods</source>
        <translation>Unterschied zwischen Verfahren</translation>
    </message>
    <message>
        <source>ΔNLL to a method of your choice, paired by window.</source>
        <translation>ΔNLL zu einem Verfahren Ihrer Wahl, je Fenster gepaart.</translation>
    </message>
</context>
</TS>
