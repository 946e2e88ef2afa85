//! What is heard of formulas, in every language: a formula, and its words in the order of [`LANGUAGES`].

use super::super::locale::Locale;
use super::words;

const LANGUAGES: [&str; 8] = ["en", "de", "es", "fr", "it", "pt", "ru", "zh"];

fn hear(formulas: &[(&str, [&str; LANGUAGES.len()])]) {
    for (source, all) in formulas {
        for (language, said) in LANGUAGES.iter().zip(all) {
            assert_eq!(words(source, Locale::of(language)), *said, "{language}: {source}");
        }
    }
}

#[test]
fn negations_are_heard() {
    hear(&[
        (
            r"a\not\equiv b",
            [
                "a is not equivalent to b",
                "a ist nicht äquivalent zu b",
                "a no es equivalente a b",
                "a n'est pas équivalent à b",
                "a non è equivalente a b",
                "a não é equivalente a b",
                "a не эквивалентно b",
                "a 不等价于 b",
            ],
        ),
        (
            r"x\not\in A",
            [
                "x not in A",
                "x nicht in A",
                "x no pertenece a A",
                "x n'appartient pas à A",
                "x non appartiene a A",
                "x não pertence a A",
                "x не принадлежит A",
                "x 不属于 A",
            ],
        ),
        (
            r"A\not\subset B",
            [
                "A is not a subset of B",
                "A ist keine Teilmenge von B",
                "A no es subconjunto de B",
                "A n'est pas inclus dans B",
                "A non è sottoinsieme di B",
                "A não é subconjunto de B",
                "A не является подмножеством B",
                "A 不包含于 B",
            ],
        ),
        (
            r"a\not= b",
            [
                "a is not equal to b",
                "a ist ungleich b",
                "a es distinto de b",
                "a est différent de b",
                "a è diverso da b",
                "a é diferente de b",
                "a не равно b",
                "a 不等于 b",
            ],
        ),
        (
            r"a\not< b",
            [
                "a is not less than b",
                "a ist nicht kleiner als b",
                "a no es menor que b",
                "a n'est pas inférieur à b",
                "a non è minore di b",
                "a não é menor que b",
                "a не меньше b",
                "a 不小于 b",
            ],
        ),
        (
            r"\not\exists x",
            [
                "there does not exist x",
                "es gibt nicht x",
                "no existe x",
                "il n'existe pas x",
                "non esiste x",
                "não existe x",
                "не существует x",
                "不存在 x",
            ],
        ),
        (
            r"3\not\mid 10",
            [
                "3 does not divide 10",
                "3 teilt nicht 10",
                "3 no divide a 10",
                "3 ne divise pas 10",
                "3 non divide 10",
                "3 não divide 10",
                "3 не делит 10",
                "3 不整除 10",
            ],
        ),
        (
            r"a\nleq b",
            [
                "a is not at most b",
                "a ist nicht kleiner oder gleich b",
                "a no es menor o igual que b",
                "a n'est pas inférieur ou égal à b",
                "a non è minore o uguale a b",
                "a não é menor ou igual a b",
                "a не меньше и не равно b",
                "a 不小于等于 b",
            ],
        ),
        (
            r"A\nsubseteq B",
            [
                "A is not a subset of B",
                "A ist keine Teilmenge von B",
                "A no es subconjunto de B",
                "A n'est pas inclus dans B",
                "A non è sottoinsieme di B",
                "A não é subconjunto de B",
                "A не является подмножеством B",
                "A 不包含于 B",
            ],
        ),
        (
            r"p\nRightarrow q",
            [
                "p does not imply q",
                "p daraus folgt nicht q",
                "p no implica q",
                "p n'implique pas q",
                "p non implica q",
                "p não implica q",
                "p не следует q",
                "p 不能推出 q",
            ],
        ),
    ]);
}

#[test]
fn relations_and_marks_have_words() {
    hear(&[
        (
            r"a\preceq b",
            [
                "a precedes or equals b",
                "a kommt vor oder ist gleich b",
                "a precede o es igual a b",
                "a précède ou égale b",
                "a precede o è uguale a b",
                "a precede ou é igual a b",
                "a предшествует или равно b",
                "a 先于或等于 b",
            ],
        ),
        (
            r"a\succeq b",
            [
                "a succeeds or equals b",
                "a kommt nach oder ist gleich b",
                "a sucede o es igual a b",
                "a suit ou égale b",
                "a segue o è uguale a b",
                "a sucede ou é igual a b",
                "a следует за или равно b",
                "a 后于或等于 b",
            ],
        ),
        (
            r"a\lesssim b",
            [
                "a is at most about b",
                "a ist höchstens ungefähr b",
                "a es como mucho aproximadamente b",
                "a est au plus environ b",
                "a è al più circa b",
                "a é no máximo cerca de b",
                "a не больше приблизительно b",
                "a 约小于等于 b",
            ],
        ),
        (
            r"f\triangleq g",
            [
                "f is defined as g",
                "f ist definiert als g",
                "f se define como g",
                "f est défini comme g",
                "f è definito come g",
                "f é definido como g",
                "f по определению равно g",
                "f 定义为 g",
            ],
        ),
        (
            r"f\coloneqq g",
            [
                "f is defined as g",
                "f ist definiert als g",
                "f se define como g",
                "f est défini comme g",
                "f è definito come g",
                "f é definido como g",
                "f по определению равно g",
                "f 定义为 g",
            ],
        ),
        (
            "f:=g",
            [
                "f is defined as g",
                "f ist definiert als g",
                "f se define como g",
                "f est défini comme g",
                "f è definito come g",
                "f é definido como g",
                "f по определению равно g",
                "f 定义为 g",
            ],
        ),
        (
            r"\#S",
            [
                "the number of S",
                "die Anzahl von S",
                "el número de S",
                "le nombre de S",
                "il numero di S",
                "o número de S",
                "количество S",
                "S 的个数",
            ],
        ),
        (
            r"\mathring{A}",
            [
                "A ring",
                "A mit Ring",
                "A con anillo",
                "A avec un rond",
                "A con anello",
                "A com anel",
                "A с кружком",
                "A 圈",
            ],
        ),
        (
            r"x\leftarrow y",
            [
                "x gets y",
                "x wird y",
                "x recibe y",
                "x reçoit y",
                "x riceve y",
                "x recebe y",
                "x получает y",
                "x 赋值为 y",
            ],
        ),
        (r"p\wedge q", ["p and q", "p und q", "p y q", "p et q", "p e q", "p e q", "p и q", "p 和 q"]),
        (
            r"\underbrace{a+b}_{n}+c",
            [
                "a plus b, n, plus c",
                "a plus b, n, plus c",
                "a más b, n, más c",
                "a plus b, n, plus c",
                "a più b, n, più c",
                "a mais b, n, mais c",
                "a плюс b, n, плюс c",
                "a 加 b, n, 加 c",
            ],
        ),
    ]);
}

#[test]
fn dots_are_said_in_words() {
    hear(&[
        (
            r"a_1,\ldots,a_n",
            [
                "a sub 1, and so on, a sub n",
                "a Index 1, und so weiter, a Index n",
                "a sub 1, y así sucesivamente, a sub n",
                "a indice 1, et ainsi de suite, a indice n",
                "a con indice 1, e così via, a con indice n",
                "a índice 1, e assim por diante, a índice n",
                "a с индексом 1, и так далее, a с индексом n",
                "a 下标 1, 等等, a 下标 n",
            ],
        ),
        (
            r"1+2+\cdots+n",
            [
                "1 plus 2, and so on, plus n",
                "1 plus 2, und so weiter, plus n",
                "1 más 2, y así sucesivamente, más n",
                "1 plus 2, et ainsi de suite, plus n",
                "1 più 2, e così via, più n",
                "1 mais 2, e assim por diante, mais n",
                "1 плюс 2, и так далее, плюс n",
                "1 加 2, 等等, 加 n",
            ],
        ),
        (
            r"a=b=\dots=z",
            [
                "a equals b, and so on, equals z",
                "a gleich b, und so weiter, gleich z",
                "a es igual a b, y así sucesivamente, es igual a z",
                "a égale b, et ainsi de suite, égale z",
                "a è uguale a b, e così via, è uguale a z",
                "a é igual a b, e assim por diante, é igual a z",
                "a равно b, и так далее, равно z",
                "a 等于 b, 等等, 等于 z",
            ],
        ),
        (
            r"\begin{pmatrix}1&\cdots&n\\\vdots&\ddots&\vdots\end{pmatrix}",
            [
                "the matrix with rows 1, and so on, n, and so on",
                "die Matrix mit den Zeilen 1, und so weiter, n, und so weiter",
                "la matriz de filas 1, y así sucesivamente, n, y así sucesivamente",
                "la matrice de lignes 1, et ainsi de suite, n, et ainsi de suite",
                "la matrice con righe 1, e così via, n, e così via",
                "a matriz com as linhas 1, e assim por diante, n, e assim por diante",
                "матрица со строками 1, и так далее, n, и так далее",
                "矩阵，各行为 1, 等等, n, 等等",
            ],
        ),
        (
            r"f\colon A\to B",
            ["f: A to B", "f: A nach B", "f: A a B", "f: A vers B", "f: A a B", "f: A para B", "f: A к B", "f: A 到 B"],
        ),
    ]);
}

#[test]
fn scripts_are_not_always_powers() {
    hear(&[
        (
            r"\log^2 n",
            [
                "log squared of n",
                "Logarithmus Quadrat von n",
                "logaritmo al cuadrado de n",
                "log au carré de n",
                "logaritmo al quadrato di n",
                "log ao quadrado de n",
                "логарифм в квадрате от n",
                "log 的平方 的 n",
            ],
        ),
        (
            r"\log_2^2 n",
            [
                "log squared to base 2 of n",
                "Logarithmus Quadrat zur Basis 2 von n",
                "logaritmo al cuadrado en base 2 de n",
                "log au carré en base 2 de n",
                "logaritmo al quadrato in base 2 di n",
                "log ao quadrado na base 2 de n",
                "логарифм в квадрате по основанию 2 от n",
                "以 2 为底 n 的对数 的平方",
            ],
        ),
        (
            "f^{(3)}",
            [
                "the third derivative of f",
                "die dritte Ableitung von f",
                "la tercera derivada de f",
                "la dérivée troisième de f",
                "la derivata terza di f",
                "a terceira derivada de f",
                "третья производная от f",
                "f 的三阶导数",
            ],
        ),
        (
            "f^{(n)}(x)",
            [
                "the n-th derivative of f of x",
                "die n-te Ableitung von f von x",
                "la n-ésima derivada de f de x",
                "la dérivée n-ième de f de x",
                "la derivata n-esima di f di x",
                "a n-ésima derivada de f de x",
                "производная порядка n от f от x",
                "f 的 n 阶导数 的 x",
            ],
        ),
        ("x^*", ["x star", "x Stern", "x estrella", "x étoile", "x stella", "x estrela", "x звёздочка", "x 星"]),
        (
            "y^{(i)}",
            [
                "y superscript i",
                "y mit oberem Index i",
                "y superíndice i",
                "y indice supérieur i",
                "y con apice i",
                "y índice superior i",
                "y с верхним индексом i",
                "y 上标 i",
            ],
        ),
        ("i^{th}", ["i-th", "i-te", "i-ésimo", "i-ième", "i-esimo", "i-ésimo", "i-й", "第 i"]),
        (r"n^{\text{th}}", ["n-th", "n-te", "n-ésimo", "n-ième", "n-esimo", "n-ésimo", "n-й", "第 n"]),
        (r"k^{\text{new}}", ["k new", "k new", "k new", "k new", "k new", "k new", "k new", "k new"]),
    ]);
}

#[test]
fn bars_mean_what_they_are_around() {
    hear(&[
        (
            r"3\mid 12",
            [
                "3 divides 12",
                "3 teilt 12",
                "3 divide a 12",
                "3 divise 12",
                "3 divide 12",
                "3 divide 12",
                "3 делит 12",
                "3 整除 12",
            ],
        ),
        (
            r"P(A\mid B)",
            [
                "P of A given B",
                "P von A gegeben B",
                "P de A dado B",
                "P de A sachant B",
                "P di A dato B",
                "P de A dado B",
                "P от A при условии B",
                "P 的 A 给定 B",
            ],
        ),
        (
            r"p(x|\theta)",
            [
                "p of x given theta",
                "p von x gegeben Theta",
                "p de x dado theta",
                "p de x sachant thêta",
                "p di x dato theta",
                "p de x dado teta",
                "p от x при условии тета",
                "p 的 x 给定 西塔",
            ],
        ),
        (
            "||x||",
            [
                "the norm of x",
                "die Norm von x",
                "la norma de x",
                "la norme de x",
                "la norma di x",
                "a norma de x",
                "норма x",
                "x 的范数",
            ],
        ),
        (
            r"\|x\|",
            [
                "the norm of x",
                "die Norm von x",
                "la norma de x",
                "la norme de x",
                "la norma di x",
                "a norma de x",
                "норма x",
                "x 的范数",
            ],
        ),
        (r"|\psi\rangle", ["ket psi", "Ket Psi", "ket psi", "ket psi", "ket psi", "ket psi", "кет пси", "右矢 普西"]),
        (
            r"\langle\phi|\psi\rangle",
            [
                "bra phi ket psi",
                "Bra Phi Ket Psi",
                "bra fi ket psi",
                "bra phi ket psi",
                "bra fi ket psi",
                "bra fi ket psi",
                "бра фи кет пси",
                "左矢 斐 右矢 普西",
            ],
        ),
        (
            r"\langle\phi|A|\psi\rangle",
            [
                "bra phi A ket psi",
                "Bra Phi A Ket Psi",
                "bra fi A ket psi",
                "bra phi A ket psi",
                "bra fi A ket psi",
                "bra fi A ket psi",
                "бра фи A кет пси",
                "左矢 斐 A 右矢 普西",
            ],
        ),
        (
            r"\{x\mid x>3\}",
            [
                "the set of x such that x is greater than 3",
                "die Menge von x so dass x ist größer als 3",
                "el conjunto de x tal que x es mayor que 3",
                "l'ensemble des x tel que x est supérieur à 3",
                "l'insieme degli x tale che x è maggiore di 3",
                "o conjunto dos x tal que x é maior que 3",
                "множество x таких, что x больше 3",
                "集合 x 使得 x 大于 3",
            ],
        ),
        ("<S,P>", ["S, P", "S, P", "S, P", "S, P", "S, P", "S, P", "S, P", "S, P"]),
        (
            r"L=\lbrace w\mid w>1\rbrace",
            [
                "L equals the set of w such that w is greater than 1",
                "L gleich die Menge von w so dass w ist größer als 1",
                "L es igual al conjunto de w tal que w es mayor que 1",
                "L égale l'ensemble des w tel que w est supérieur à 1",
                "L è uguale all'insieme degli w tale che w è maggiore di 1",
                "L é igual ao conjunto dos w tal que w é maior que 1",
                "L равно множество w таких, что w больше 1",
                "L 等于 集合 w 使得 w 大于 1",
            ],
        ),
        (
            "a<b",
            [
                "a is less than b",
                "a ist kleiner als b",
                "a es menor que b",
                "a est inférieur à b",
                "a è minore di b",
                "a é menor que b",
                "a меньше b",
                "a 小于 b",
            ],
        ),
        (
            "|S|",
            [
                "the size of S",
                "die Mächtigkeit von S",
                "el cardinal de S",
                "le cardinal de S",
                "la cardinalità di S",
                "o cardinal de S",
                "мощность S",
                "S 的大小",
            ],
        ),
    ]);
}

#[test]
fn functions_are_told_from_products() {
    hear(&[
        ("z[i]", ["z of i", "z von i", "z de i", "z de i", "z di i", "z de i", "z от i", "z 的 i"]),
        (r"\mu(n)", ["mu of n", "My von n", "mi de n", "mu de n", "mi di n", "mi de n", "мю от n", "缪 的 n"]),
        (
            "Q(s,a)",
            ["Q of s, a", "Q von s, a", "Q de s, a", "Q de s, a", "Q di s, a", "Q de s, a", "Q от s, a", "Q 的 s, a"],
        ),
        (
            "a(b+c)",
            [
                "a times the quantity b plus c",
                "a mal Klammer b plus c",
                "a por la cantidad b más c",
                "a fois la quantité b plus c",
                "a per la quantità b più c",
                "a vezes a quantidade b mais c",
                "a умножить на скобку b плюс c",
                "a 乘以括号 b 加 c",
            ],
        ),
        (
            r"\Re(z)",
            [
                "the real part of z",
                "der Realteil von z",
                "la parte real de z",
                "la partie réelle de z",
                "la parte reale di z",
                "a parte real de z",
                "вещественная часть z",
                "z 的实部",
            ],
        ),
        (
            r"\mathrm{ReLU}(x)",
            ["ReLU of x", "ReLU von x", "ReLU de x", "ReLU de x", "ReLU di x", "ReLU de x", "ReLU от x", "ReLU 的 x"],
        ),
        (
            r"X\sim N(0,1)",
            [
                "X is distributed as N of 0, 1",
                "X ist verteilt wie N von 0, 1",
                "X se distribuye como N de 0, 1",
                "X suit la loi N de 0, 1",
                "X è distribuito come N di 0, 1",
                "X tem distribuição N de 0, 1",
                "X распределено как N от 0, 1",
                "X 服从 N 的 0, 1",
            ],
        ),
        (r"f\left(x\right)", ["f of x", "f von x", "f de x", "f de x", "f di x", "f de x", "f от x", "f 的 x"]),
        (
            r"k[\text{A}]",
            ["k times A", "k mal A", "k por A", "k fois A", "k per A", "k vezes A", "k умножить на A", "k 乘以 A"],
        ),
        (
            r"D(P\|Q)",
            ["D of P, Q", "D von P, Q", "D de P, Q", "D de P, Q", "D di P, Q", "D de P, Q", "D от P, Q", "D 的 P, Q"],
        ),
        (
            r"Q^\pi(s,a)",
            [
                "Q to the power pi of s, a",
                "Q hoch Pi von s, a",
                "Q elevado a pi de s, a",
                "Q puissance pi de s, a",
                "Q alla pi greco di s, a",
                "Q elevado a pi de s, a",
                "Q в степени пи от s, a",
                "Q 的 派 次方 的 s, a",
            ],
        ),
        (
            "x(k-1)",
            [
                "x of k minus 1",
                "x von k minus 1",
                "x de k menos 1",
                "x de k moins 1",
                "x di k meno 1",
                "x de k menos 1",
                "x от k минус 1",
                "x 的 k 减 1",
            ],
        ),
        (
            "n(n-1)",
            [
                "n times the quantity n minus 1",
                "n mal Klammer n minus 1",
                "n por la cantidad n menos 1",
                "n fois la quantité n moins 1",
                "n per la quantità n meno 1",
                "n vezes a quantidade n menos 1",
                "n умножить на скобку n минус 1",
                "n 乘以括号 n 减 1",
            ],
        ),
        (
            r"f(\cdot)",
            [
                "f of dot",
                "f von Punkt",
                "f de punto",
                "f de point",
                "f di punto",
                "f de ponto",
                "f от точка",
                "f 的 点",
            ],
        ),
        (
            r"N(u\ge a)",
            [
                "N of u is at least a",
                "N von u ist mindestens a",
                "N de u es como mínimo a",
                "N de u est au moins a",
                "N di u è almeno a",
                "N de u é no mínimo a",
                "N от u не меньше a",
                "N 的 u 大于等于 a",
            ],
        ),
        (
            "R([a,b])",
            ["R of a, b", "R von a, b", "R de a, b", "R de a, b", "R di a, b", "R de a, b", "R от a, b", "R 的 a, b"],
        ),
        (
            "a(r-Q(s,t))",
            [
                "a times the quantity r minus Q of s, t",
                "a mal Klammer r minus Q von s, t",
                "a por la cantidad r menos Q de s, t",
                "a fois la quantité r moins Q de s, t",
                "a per la quantità r meno Q di s, t",
                "a vezes a quantidade r menos Q de s, t",
                "a умножить на скобку r минус Q от s, t",
                "a 乘以括号 r 减 Q 的 s, t",
            ],
        ),
        (
            r"D^2(u\not= v)",
            [
                "D squared of u is not equal to v",
                "D Quadrat von u ist ungleich v",
                "D al cuadrado de u es distinto de v",
                "D au carré de u est différent de v",
                "D al quadrato di u è diverso da v",
                "D ao quadrado de u é diferente de v",
                "D в квадрате от u не равно v",
                "D 的平方 的 u 不等于 v",
            ],
        ),
        (
            "e^{(x)}",
            [
                "e to the power x",
                "e hoch x",
                "e elevado a x",
                "e puissance x",
                "e alla x",
                "e elevado a x",
                "e в степени x",
                "e 的 x 次方",
            ],
        ),
        (
            r"\frac{a}{b}(i=1)",
            [
                "a over b, i equals 1",
                "a durch b, i gleich 1",
                "a sobre b, i es igual a 1",
                "a sur b, i égale 1",
                "a su b, i è uguale a 1",
                "a sobre b, i é igual a 1",
                "a делить на b, i равно 1",
                "a 除以 b, i 等于 1",
            ],
        ),
    ]);
}

#[test]
fn groups_are_heard() {
    hear(&[
        (
            r"\lim_{n\to\infty}\left(1+\frac1n\right)^n",
            [
                "the limit as n goes to infinity of the quantity 1 plus 1 over n, all to the power n",
                "der Grenzwert für n gegen unendlich von der Klammer 1 plus 1 durch n, Klammer zu, hoch n",
                "el límite cuando n tiende a infinito de la cantidad 1 más 1 sobre n, todo elevado a n",
                "la limite quand n tend vers l'infini de la quantité 1 plus 1 sur n, le tout puissance n",
                "il limite per n tende a infinito della quantità 1 più 1 su n, tutto alla n",
                "o limite quando n tende a infinito da quantidade 1 mais 1 sobre n, tudo elevado a n",
                "предел при n стремится к бесконечности от скобки 1 плюс 1 делить на n, всё в степени n",
                "极限 当 n 趋于 无穷 的 括号 1 加 1 除以 n, 整体 的 n 次方",
            ],
        ),
        (
            r"\frac{n!}{k!(n-k)!}",
            [
                "n factorial over k factorial times the quantity n minus k, factorial",
                "n Fakultät durch k Fakultät mal Klammer n minus k, Fakultät",
                "n factorial sobre k factorial por la cantidad n menos k, factorial",
                "n factorielle sur k factorielle fois la quantité n moins k, factorielle",
                "n fattoriale su k fattoriale per la quantità n meno k, fattoriale",
                "n fatorial sobre k fatorial vezes a quantidade n menos k, fatorial",
                "n факториал делить на k факториал умножить на скобку n минус k, факториал",
                "n 的阶乘 除以 k 的阶乘 乘以括号 n 减 k, 的阶乘",
            ],
        ),
        (
            r"\sum_i (x_i-m)^2",
            [
                "the sum over i of the quantity x sub i minus m, all squared",
                "die Summe über i von der Klammer x Index i minus m, Klammer zu, Quadrat",
                "la suma sobre i de la cantidad x sub i menos m, todo al cuadrado",
                "la somme sur i de la quantité x indice i moins m, le tout au carré",
                "la somma su i della quantità x con indice i meno m, tutto al quadrato",
                "a soma sobre i da quantidade x índice i menos m, tudo ao quadrado",
                "сумма по i от скобки x с индексом i минус m, всё в квадрате",
                "对 i 求和, 括号 x 下标 i 减 m, 整体 的平方",
            ],
        ),
        (
            r"\frac{d}{dx}\left[x^n\right]",
            [
                "d by d x of x to the power n",
                "d nach d x von x hoch n",
                "d sobre d x de x elevado a n",
                "d sur d x de x puissance n",
                "d su d x di x alla n",
                "d por d x de x elevado a n",
                "d по d x от x в степени n",
                "d 对 d x 的 x 的 n 次方",
            ],
        ),
        (
            r"\left[x^3+x\right]_0^2",
            [
                "the quantity x cubed plus x, from 0 to 2",
                "die Klammer x hoch drei plus x, von 0 bis 2",
                "la cantidad x al cubo más x, desde 0 hasta 2",
                "la quantité x au cube plus x, de 0 à 2",
                "la quantità x al cubo più x, da 0 a 2",
                "a quantidade x ao cubo mais x, de 0 até 2",
                "скобка x в кубе плюс x, от 0 до 2",
                "括号 x 的立方 加 x, 从 0 到 2",
            ],
        ),
        (
            r"\left(1+\frac1n\right)^n",
            [
                "the quantity 1 plus 1 over n, all to the power n",
                "die Klammer 1 plus 1 durch n, Klammer zu, hoch n",
                "la cantidad 1 más 1 sobre n, todo elevado a n",
                "la quantité 1 plus 1 sur n, le tout puissance n",
                "la quantità 1 più 1 su n, tutto alla n",
                "a quantidade 1 mais 1 sobre n, tudo elevado a n",
                "скобка 1 плюс 1 делить на n, всё в степени n",
                "括号 1 加 1 除以 n, 整体 的 n 次方",
            ],
        ),
        (
            r"\frac{a}{b+c}+d",
            [
                "a over the quantity b plus c, plus d",
                "a durch die Klammer b plus c, plus d",
                "a sobre la cantidad b más c, más d",
                "a sur la quantité b plus c, plus d",
                "a sulla quantità b più c, più d",
                "a sobre a quantidade b mais c, mais d",
                "a делить на скобку b плюс c, плюс d",
                "a 除以 括号 b 加 c, 加 d",
            ],
        ),
        (
            "(-1)^n",
            [
                "the quantity minus 1, all to the power n",
                "die Klammer minus 1, Klammer zu, hoch n",
                "la cantidad menos 1, todo elevado a n",
                "la quantité moins 1, le tout puissance n",
                "la quantità meno 1, tutto alla n",
                "a quantidade menos 1, tudo elevado a n",
                "скобка минус 1, всё в степени n",
                "括号 负 1, 整体 的 n 次方",
            ],
        ),
        (
            "(a+b)(c+d)",
            [
                "the quantity a plus b, times the quantity c plus d",
                "die Klammer a plus b, mal Klammer c plus d",
                "la cantidad a más b, por la cantidad c más d",
                "la quantité a plus b, fois la quantité c plus d",
                "la quantità a più b, per la quantità c più d",
                "a quantidade a mais b, vezes a quantidade c mais d",
                "скобка a плюс b, умножить на скобку c плюс d",
                "括号 a 加 b, 乘以括号 c 加 d",
            ],
        ),
        (
            "a-(b+c)",
            [
                "a minus the quantity b plus c",
                "a minus die Klammer b plus c",
                "a menos la cantidad b más c",
                "a moins la quantité b plus c",
                "a meno la quantità b più c",
                "a menos a quantidade b mais c",
                "a минус скобка b плюс c",
                "a 减 括号 b 加 c",
            ],
        ),
        (
            r"2\frac12",
            [
                "2 and one half",
                "2 und ein halb",
                "2 y un medio",
                "2 et un demi",
                "2 e un mezzo",
                "2 e um meio",
                "2 и одна вторая",
                "2 又 二分之一",
            ],
        ),
        (
            r"\nabla\cdot F",
            [
                "the divergence of F",
                "die Divergenz von F",
                "la divergencia de F",
                "la divergence de F",
                "la divergenza di F",
                "o divergente de F",
                "дивергенция F",
                "F 的散度",
            ],
        ),
        (
            r"\nabla\times F",
            [
                "the curl of F",
                "die Rotation von F",
                "el rotacional de F",
                "le rotationnel de F",
                "il rotore di F",
                "o rotacional de F",
                "ротор F",
                "F 的旋度",
            ],
        ),
        (
            r"\begin{vmatrix}1&2\\3&4\end{vmatrix}",
            [
                "the determinant of the matrix with rows 1, 2, and 3, 4",
                "die Determinante von der Matrix mit den Zeilen 1, 2, und 3, 4",
                "el determinante de la matriz de filas 1, 2, y 3, 4",
                "le déterminant de la matrice de lignes 1, 2, et 3, 4",
                "il determinante della matrice con righe 1, 2, e 3, 4",
                "o determinante da matriz com as linhas 1, 2, e 3, 4",
                "определитель от матрицы со строками 1, 2, и 3, 4",
                "行列式 的 矩阵，各行为 1, 2, 和 3, 4",
            ],
        ),
    ]);
}

#[test]
fn a_comma_is_decimal_where_it_is_written_so() {
    hear(&[
        ("0,5", ["0, 5", "0,5", "0,5", "0,5", "0,5", "0,5", "0,5", "0, 5"]),
        ("0, 5", ["0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5"]),
        ("(0,5)", ["0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5", "0, 5"]),
        (
            "x_{1,2}",
            [
                "x sub 1, 2",
                "x Index 1, 2",
                "x sub 1, 2",
                "x indice 1, 2",
                "x con indice 1, 2",
                "x índice 1, 2",
                "x с индексом 1, 2",
                "x 下标 1, 2",
            ],
        ),
        ("1,2,3", ["1, 2, 3", "1, 2, 3", "1, 2, 3", "1, 2, 3", "1, 2, 3", "1, 2, 3", "1, 2, 3", "1, 2, 3"]),
        ("[0,1[", ["0, 1", "0, 1", "0, 1", "0, 1", "0, 1", "0, 1", "0, 1", "0, 1"]),
    ]);
}

#[test]
fn integrals_are_of_something() {
    hear(&[
        (
            r"\int f(x)\,dx",
            [
                "the integral of f of x d x",
                "das Integral von f von x d x",
                "la integral de f de x d x",
                "l'intégrale de f de x d x",
                "l'integrale di f di x d x",
                "a integral de f de x d x",
                "интеграл от f от x d x",
                "积分 f 的 x d x",
            ],
        ),
        (
            r"\int_0^1 x\,dx",
            [
                "the integral from 0 to 1 of x d x",
                "das Integral von 0 bis 1 von x d x",
                "la integral desde 0 hasta 1 de x d x",
                "l'intégrale de 0 à 1 de x d x",
                "l'integrale da 0 a 1 di x d x",
                "a integral de 0 até 1 de x d x",
                "интеграл от 0 до 1 от x d x",
                "从 0 到 1 积分, x d x",
            ],
        ),
        (
            r"\sum_{i=1}^n i",
            [
                "the sum from i equals 1 to n of i",
                "die Summe von i gleich 1 bis n von i",
                "la suma desde i es igual a 1 hasta n de i",
                "la somme de i égale 1 à n de i",
                "la somma da i è uguale a 1 a n di i",
                "a soma de i é igual a 1 até n de i",
                "сумма от i равно 1 до n от i",
                "对 i 从 1 到 n 求和, i",
            ],
        ),
    ]);
}

#[test]
fn units_are_counted() {
    hear(&[
        (
            r"1\,\mathrm{kg}",
            [
                "1 kilogram",
                "1 Kilogramm",
                "1 kilogramo",
                "1 kilogramme",
                "1 chilogrammo",
                "1 quilograma",
                "1 килограмм",
                "1 千克",
            ],
        ),
        (
            r"2\,\mathrm{kg}",
            [
                "2 kilograms",
                "2 Kilogramm",
                "2 kilogramos",
                "2 kilogrammes",
                "2 chilogrammi",
                "2 quilogramas",
                "2 килограмма",
                "2 千克",
            ],
        ),
        (
            r"5\,\mathrm{kg}",
            [
                "5 kilograms",
                "5 Kilogramm",
                "5 kilogramos",
                "5 kilogrammes",
                "5 chilogrammi",
                "5 quilogramas",
                "5 килограммов",
                "5 千克",
            ],
        ),
        (
            r"0{,}5\,\mathrm{kg}",
            [
                "0,5 kilograms",
                "0,5 Kilogramm",
                "0,5 kilogramos",
                "0,5 kilogramme",
                "0,5 chilogrammi",
                "0,5 quilograma",
                "0,5 килограмма",
                "0,5 千克",
            ],
        ),
        (r"10\,\Omega", ["10 ohms", "10 Ohm", "10 ohmios", "10 ohms", "10 ohm", "10 ohms", "10 ом", "10 欧姆"]),
    ]);
}

#[test]
fn phrases_are_joined_as_the_language_does() {
    hear(&[
        (
            r"\lim_{x\to 0} \ln x",
            [
                "the limit as x goes to 0 of the natural logarithm x",
                "der Grenzwert für x gegen 0 von Logarithmus naturalis x",
                "el límite cuando x tiende a 0 del logaritmo natural x",
                "la limite quand x tend vers 0 du logarithme népérien x",
                "il limite per x tende a 0 del logaritmo naturale x",
                "o limite quando x tende a 0 do logaritmo natural x",
                "предел при x стремится к 0 от натурального логарифма x",
                "极限 当 x 趋于 0 的 自然对数 x",
            ],
        ),
        (
            r"a=\sqrt2",
            [
                "a equals the square root of 2",
                "a gleich Wurzel aus 2",
                "a es igual a la raíz cuadrada de 2",
                "a égale la racine carrée de 2",
                "a è uguale alla radice quadrata di 2",
                "a é igual à raiz quadrada de 2",
                "a равно корень из 2",
                "a 等于 根号 2",
            ],
        ),
        (
            r"\int_{-\infty}^\infty x",
            [
                "the integral from minus infinity to infinity of x",
                "das Integral von minus unendlich bis unendlich von x",
                "la integral desde menos infinito hasta infinito de x",
                "l'intégrale de moins l'infini à l'infini de x",
                "l'integrale da meno infinito a infinito di x",
                "a integral de menos infinito até infinito de x",
                "интеграл от минус бесконечности до бесконечности от x",
                "从 负 无穷 到 无穷 积分, x",
            ],
        ),
        (
            r"\frac{\partial f}{\partial x}",
            [
                "partial f by partial x",
                "partiell f nach partiell x",
                "parcial f sobre parcial x",
                "d rond f sur d rond x",
                "parziale f su parziale x",
                "parcial f por parcial x",
                "дэ f по дэ x",
                "偏 f 对 偏 x",
            ],
        ),
        (
            r"\log(xy)",
            [
                "log of x y",
                "Logarithmus von x y",
                "logaritmo de x y",
                "log de x y",
                "logaritmo di x y",
                "log de x y",
                "логарифм от x y",
                "log 的 x y",
            ],
        ),
        (
            r"\lim_{x\to 0}|x|",
            [
                "the limit as x goes to 0 of the absolute value of x",
                "der Grenzwert für x gegen 0 vom Betrag von x",
                "el límite cuando x tiende a 0 del valor absoluto de x",
                "la limite quand x tend vers 0 de la valeur absolue de x",
                "il limite per x tende a 0 del valore assoluto di x",
                "o limite quando x tende a 0 do valor absoluto de x",
                "предел при x стремится к 0 от модуля x",
                "极限 当 x 趋于 0 的 x 的绝对值",
            ],
        ),
    ]);
}

#[test]
fn russian_units_have_three_forms_and_russian_signs() {
    for (source, said) in [
        (r"21\,\text{кг}", "21 килограмм"),
        (r"11\,\text{кг}", "11 килограммов"),
        (r"5\,\text{м/с}", "5 метров в секунду"),
        (r"3\,\mathrm{m^2}", "3 квадратных метра"),
    ] {
        assert_eq!(words(source, Locale::of("ru")), said, "{source}");
    }
}

#[test]
fn russian_has_signs_of_its_own() {
    for (source, said) in [("C_n^k", "число сочетаний из n по k"), (r"\tg x", "тангенс x"), (r"\ctg x", "котангенс x")]
    {
        assert_eq!(words(source, Locale::of("ru")), said, "{source}");
    }
}

#[test]
fn chinese_has_another_order() {
    for (source, said) in [
        (r"\frac34", "四分之三"),
        (r"50\%", "百分之 50"),
        ("x^{n+1}", "x 的 n 加 1 次方"),
        ("-5", "负 5"),
        ("a-5", "a 减 5"),
        ("|S|", "S 的大小"),
        (r"\|v\|", "v 的范数"),
        (r"\log_2 n", "以 2 为底 n 的对数"),
        (r"\sum_{i=1}^n i", "对 i 从 1 到 n 求和, i"),
        (r"2\frac12", "2 又 二分之一"),
    ] {
        assert_eq!(words(source, Locale::of("zh")), said, "{source}");
    }
}
